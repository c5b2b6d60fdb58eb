// Dialogs: the browser's own modal element keeps the focus inside, closes on Escape and gives the focus back.
// One at a time, asked for from anywhere: await confirmDialog({...}), await promptDialog({...}).
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Store, useStore } from "../lib/store";
import { IconButton } from "./button";

interface Asking {
    title: string;
    body?: ComponentChildren;
    confirm?: string; /* without it the dialog only informs */
    danger?: boolean;
    input?: { label: string; value: string; max: number; type?: string; optional?: boolean };
    wide?: boolean;
    ready?: Store<boolean>; /* false: there is nothing yet to be confirmed */
    accept?: () => Promise<boolean>; /* false: it stays open, and says why itself */
    done: (answer: string | null) => void;
}

const asking = new Store<Asking | null>(null);
const always = new Store(true);

function ask(question: Omit<Asking, "done">): Promise<string | null> {
    asking.get()?.done(null);
    return new Promise((resolve) => {
        asking.set({
            ...question,
            done: (answer) => {
                asking.set(null);
                resolve(answer);
            },
        });
    });
}

type Question = Pick<Asking, "title" | "body" | "danger"> & { confirm: string };

export async function confirmDialog(question: Question): Promise<boolean> {
    return await ask(question) !== null;
}

/** The text, or null when the person thought better of it. */
export function promptDialog(question: Question & { input: NonNullable<Asking["input"]> }): Promise<string | null> {
    return ask(question);
}

/** A dialog whose body asks more than a line of text. */
export async function askDialog(question: Question & Pick<Asking, "wide" | "ready" | "accept">): Promise<boolean> {
    return await ask(question) !== null;
}

export async function infoDialog(question: { title: string; body: ComponentChildren }): Promise<void> {
    await ask({ ...question, wide: true });
}

/** The page under it is gone. */
export const dismissDialog = () => asking.get()?.done(null);

export const dialogOpen = () => asking.get() !== null;

/** The modal element keeps the focus off the page, but lets Tab out to the browser's own frame: this turns it round. */
function keepTabInside(event: KeyboardEvent, dialog: HTMLElement): void {
    const stops = [...dialog.querySelectorAll<HTMLElement>("button:enabled, input:enabled, select:enabled, textarea:enabled, a[href]")];
    const leaving = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (event.key !== "Tab" || (event.target !== leaving && dialog.contains(document.activeElement)))
        return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
}

function Modal({ question }: { question: Asking }) {
    const dialog = useRef<HTMLDialogElement>(null);
    const field = useRef<HTMLInputElement>(null);
    const [text, setText] = useState(question.input?.value ?? "");
    const [busy, setBusy] = useState(false);
    const ready = useStore(question.ready ?? always);
    const empty = !ready || (question.input !== undefined && !question.input.optional && text.trim() === "");

    useEffect(() => {
        const element = dialog.current!;
        const before = document.activeElement;
        element.showModal();
        if (question.danger && !question.input)
            element.querySelector<HTMLElement>("[data-testid=dialog-cancel]")?.focus();
        field.current?.focus();
        field.current?.select();
        return () => {
            element.close();
            if (before instanceof HTMLElement && before.isConnected)
                before.focus();
        };
    }, []);

    const submit = async (event: Event) => {
        event.preventDefault();
        if (empty || busy)
            return;
        setBusy(true);
        const accepted = await (question.accept?.() ?? true);
        setBusy(false);
        if (accepted)
            question.done(text.trim());
    };
    return (
        <dialog
            ref={dialog}
            class={question.wide ? "dialog dialog-wide" : "dialog"}
            aria-labelledby="dialog-title"
            onCancel={(event) => {
                event.preventDefault();
                question.done(null);
            }}
            onKeyDown={(event) => keepTabInside(event, dialog.current!)}
            onMouseDown={(event) => event.target === dialog.current && question.done(null)}
        >
            <form class="dialog-form" method="dialog" onSubmit={(event) => void submit(event)}>
                <div class="dialog-head">
                    <h2 id="dialog-title">{question.title}</h2>
                    <IconButton icon="close" label="Close" onClick={() => question.done(null)} />
                </div>
                {question.body && <div class="dialog-body">{question.body}</div>}
                {question.input && (
                    <label class="field">
                        <span>{question.input.label}</span>
                        <input
                            ref={field}
                            type={question.input.type ?? "text"}
                            value={text}
                            maxLength={question.input.max}
                            autocomplete="off"
                            data-testid="dialog-input"
                            onInput={(event) => setText(event.currentTarget.value)}
                        />
                    </label>
                )}
                {question.confirm && (
                    <div class="dialog-buttons">
                        <button type="button" class="button" data-testid="dialog-cancel" onClick={() => question.done(null)}>
                            Cancel
                        </button>
                        <button
                            type="submit"
                            class={question.danger ? "button danger" : "button primary"}
                            data-testid="dialog-confirm"
                            disabled={empty || busy}
                        >
                            {question.confirm}
                        </button>
                    </div>
                )}
            </form>
        </dialog>
    );
}

export function Dialogs() {
    const question = useStore(asking);
    return question && <Modal key={question.title} question={question} />;
}
