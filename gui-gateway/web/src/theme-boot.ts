// Runs before the first paint, so that a remembered theme never flashes. See lib/theme.ts.
try {
    const theme = localStorage.getItem("umbel.theme");
    if (theme === "light" || theme === "dark")
        document.documentElement.dataset.theme = theme;
} catch {
    // Storage is forbidden in this browser: the system's theme it is.
}
