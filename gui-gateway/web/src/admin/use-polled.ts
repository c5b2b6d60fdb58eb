// What the server says, asked for again and again while the page is visible. While the service is away the last answer stays.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { Store } from "../lib/store";

export interface Polled<T> {
    data: T | null; /* null: nothing has come yet */
    problem: string;
    refresh: () => void;
}

const OFTEN_MS = 5_000;
const AGAIN_MS = 2_000; /* after no answer */

/** What is shown is old: no core answers, though the gateway may. */
export const unanswered = new Store(false);

/** KEY names what is asked for: another key asks at once. */
export function usePolled<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, everyMs = OFTEN_MS): Polled<T> {
    const [state, setState] = useState<{ data: T | null; problem: string }>({ data: null, problem: "" });
    const [turn, setTurn] = useState(0);
    const latest = useRef(ask);
    latest.current = ask;

    useEffect(() => {
        const control = new AbortController();
        let timer: ReturnType<typeof setTimeout>;
        const once = async () => {
            try {
                const data = await latest.current(control.signal);
                if (control.signal.aborted)
                    return;
                unanswered.set(false);
                setState({ data, problem: "" });
            } catch (error) {
                if (control.signal.aborted)
                    return;
                const known = error instanceof ApiError;
                unanswered.set(known && error.away);
                if (!(known && (error.away || error.status === 401)))
                    setState((old) => ({ ...old, problem: known ? error.message : "The answer could not be read." }));
            }
            timer = setTimeout(whenVisible, unanswered.get() ? Math.min(AGAIN_MS, everyMs) : everyMs);
        };
        const whenVisible = () => {
            if (document.visibilityState === "visible")
                void once();
        };
        const onVisible = () => {
            clearTimeout(timer);
            whenVisible();
        };
        void once();
        document.addEventListener("visibilitychange", onVisible);
        return () => {
            unanswered.set(false);
            control.abort();
            clearTimeout(timer);
            document.removeEventListener("visibilitychange", onVisible);
        };
    }, [key, turn, everyMs]);

    return { ...state, refresh: useCallback(() => setTurn((n) => n + 1), []) };
}
