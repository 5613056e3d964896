"""MediaPipe's Tasks for Web in a real browser: the roads `web-cpu` (WASM) and `web-gpu` (WebGL)."""
