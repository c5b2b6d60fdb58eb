// Light or dark: the system's choice until the user makes one, which this browser remembers.
import { Store } from "./store";

export type Theme = "light" | "dark";

const KEY = "umbel.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function effective(): Theme {
    const chosen = document.documentElement.dataset.theme;
    if (chosen === "light" || chosen === "dark")
        return chosen;
    return system.matches ? "dark" : "light";
}

export const theme = new Store<Theme>(effective());

/** The browser's own frame (address bar of a phone) takes the page's colour. */
function paintFrame(): void {
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--frame").trim();
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", colour);
}

function refresh(): void {
    theme.set(effective());
    paintFrame();
}

export function toggleTheme(): void {
    const next: Theme = theme.get() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
        localStorage.setItem(KEY, next);
    } catch {
        // Not remembered then; the page changes all the same.
    }
    refresh();
}

export function startTheme(): void {
    system.addEventListener("change", refresh);
    addEventListener("storage", (event) => {
        if (event.key === KEY && event.newValue) {
            document.documentElement.dataset.theme = event.newValue;
            refresh();
        }
    });
    refresh();
}
