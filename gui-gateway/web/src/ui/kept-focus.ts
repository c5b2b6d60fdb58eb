// Rows move when a list is fresh; a row that moves loses the focus, so it is given back.
import { useLayoutEffect } from "preact/hooks";

export function useKeptFocus(): void {
    const before = document.activeElement; /* while rendering: the page is still as it was */
    useLayoutEffect(() => {
        if (document.activeElement !== document.body || !(before instanceof HTMLElement) || before === document.body)
            return;
        (before.isConnected ? before : document.getElementById("content"))?.focus({ preventScroll: true });
    });
}
