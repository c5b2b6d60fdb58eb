// Short notices at the foot of the page; read out by screen readers.
import { Store, useStore } from "../lib/store";
import { IconButton } from "./button";

const SHOW_MS = 5_000;
const SHOW_ERROR_MS = 10_000;
const MOST = 3;

interface Toast {
    id: number;
    text: string;
    error: boolean;
}

const toasts = new Store<Toast[]>([]);
let lastId = 0;

const drop = (id: number) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

function show(text: string, error: boolean): void {
    const id = ++lastId;
    toasts.set([...toasts.get().slice(1 - MOST), { id, text, error }]);
    setTimeout(() => drop(id), error ? SHOW_ERROR_MS : SHOW_MS);
}

export const notify = (text: string) => show(text, false);
export const notifyError = (text: string) => show(text, true);

export function Toasts() {
    return (
        <div class="toasts" role="status" aria-live="polite">
            {useStore(toasts).map((toast) => (
                <div key={toast.id} class={toast.error ? "toast error" : "toast"} data-testid="toast">
                    <span>{toast.text}</span>
                    <IconButton icon="close" label="Dismiss" onClick={() => drop(toast.id)} />
                </div>
            ))}
        </div>
    );
}
