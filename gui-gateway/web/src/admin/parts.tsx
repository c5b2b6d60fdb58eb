// What the parts of the administration share: head, filter, states of a list, acts that say how they ended.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Asked } from "../lib/admin";
import { ApiError } from "../lib/api";
import { Icon } from "../ui/icons";
import { notify, notifyError } from "../ui/toast";
import type { Polled } from "./use-polled";

const TYPING_MS = 250;

export function Head({ title, count, children }: { title: string; count?: string; children?: ComponentChildren }) {
    return (
        <div class="list-head">
            <h1>{title}</h1>
            <p class="count">{count}</p>
            {children}
        </div>
    );
}

/** TOLD hears the text when the typing pauses. */
export function Filter({ label, told }: { label: string; told: (text: string) => void }) {
    const [typed, setTyped] = useState("");
    useEffect(() => {
        const timer = setTimeout(() => told(typed.trim()), TYPING_MS);
        return () => clearTimeout(timer);
    }, [typed]);
    return (
        <div class="search filter" role="search">
            <Icon name="search" />
            <input
                type="search"
                placeholder={label}
                aria-label={label}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                value={typed}
                data-testid="admin-filter"
                onInput={(event) => setTyped(event.currentTarget.value)}
            />
        </div>
    );
}

export function Problem({ text }: { text: string }) {
    return text ? <p class="problem" role="alert" data-testid="admin-problem"><Icon name="warn" /> {text}</p> : null;
}

/** Members that did not answer: the rows are not all there are. */
export function Silent({ members }: { members: Asked[] | undefined }) {
    const silent = members?.filter((member) => !member.ok) ?? [];
    return silent.length > 0
        ? <Problem text={`Not all is shown: ${silent.map((m) => `${m.id} (${m.error ?? "no answer"})`).join(", ")}.`} />
        : null;
}

export function Waiting() {
    return (
        <svg class="waiting" viewBox="0 0 100 44" preserveAspectRatio="none" aria-hidden="true">
            {[0, 12, 24, 36].map((y) => <rect key={y} class="bone" y={y} width="100" height="8" rx="1" />)}
        </svg>
    );
}

/** The problem, the wait, the word for none, or what SHOW draws. */
export function Answer<T>({ of, none, show }: { of: Polled<T>; none?: (data: T) => string; show: (data: T) => ComponentChildren }) {
    const empty = of.data !== null ? none?.(of.data) ?? "" : "";
    return (
        <>
            <Problem text={of.problem} />
            {of.data === null && !of.problem && <Waiting />}
            {empty ? <p class="none" data-testid="admin-none">{empty}</p> : of.data !== null && show(of.data)}
        </>
    );
}

/** Does it, says DONE or why not, and has the list read anew. */
export async function act(what: () => Promise<unknown>, done: string, failed: string, refresh: () => void): Promise<void> {
    try {
        await what();
        notify(done);
    } catch (error) {
        notifyError(error instanceof ApiError ? `${failed}: ${error.message}` : `${failed}.`);
    }
    refresh();
}
