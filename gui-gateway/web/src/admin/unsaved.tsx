// What is not saved is not left without a question.
import { useEffect } from "preact/hooks";
import { guardLeaving } from "../lib/router";
import { confirmDialog } from "../ui/dialog";

/** OF: whose changes, as the sentence goes on. */
export function useUnsavedGuard(dirty: boolean, of: string): void {
    useEffect(() => {
        if (!dirty)
            return;
        const release = guardLeaving(() => confirmDialog({
            title: "Leave without saving?", body: <p>The changes to {of} are not saved.</p>, confirm: "Leave", danger: true,
        }));
        const onUnload = (event: Event) => event.preventDefault();
        addEventListener("beforeunload", onUnload);
        return () => {
            release();
            removeEventListener("beforeunload", onUnload);
        };
    }, [dirty]);
}
