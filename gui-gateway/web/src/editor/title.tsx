// The document's title, edited in place. Sent when typing pauses; the others are told to look.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { documents, TITLE_MOST } from "../lib/documents";
import { notifyError } from "../ui/toast";

const SEND_DELAY_MS = 600;

interface Props {
    name: string;
    title: string; /* as the server has it */
    select: boolean;
    readonly: boolean;
    onBusy: (busy: boolean) => void;
    onStored: (title: string) => void;
    onEnter: () => void;
}

export function Title({ name, title, select, readonly, onBusy, onStored, onEnter }: Props) {
    const [text, setText] = useState(title);
    const field = useRef<HTMLTextAreaElement>(null);
    const timer = useRef<ReturnType<typeof setTimeout>>();
    const sending = useRef<AbortController>();
    const stored = useRef(title);
    const edited = useRef(false); /* typed here since it was last stored */

    useEffect(() => {
        stored.current = title;
        if (!edited.current)
            setText(title);
    }, [title]);
    useEffect(() => {
        if (select) {
            field.current!.focus();
            field.current!.select();
        }
    }, []);
    useEffect(() => {
        field.current!.style.height = "auto";
        field.current!.style.height = `${field.current!.scrollHeight}px`;
    }, [text]);

    const latestText = useRef(text);
    latestText.current = text;
    const send = async (wanted: string) => {
        clearTimeout(timer.current);
        const next = wanted.trim();
        if (!next || next === stored.current) {
            edited.current = false;
            return onBusy(false);
        }
        sending.current?.abort();
        const control = new AbortController();
        sending.current = control;
        try {
            await documents.rename(name, next, control.signal);
            stored.current = next;
            edited.current = latestText.current.trim() !== next;
            onStored(next);
        } catch (error) {
            if (control.signal.aborted)
                return;
            notifyError(`Title not changed: ${error instanceof ApiError ? error.message : "unknown trouble"}`);
            edited.current = false;
            setText(stored.current);
        }
        onBusy(edited.current);
    };
    const sendLatest = useRef(send);
    sendLatest.current = send;
    useEffect(() => () => {
        if (edited.current)
            void sendLatest.current(latestText.current);
    }, []);

    const onInput = (value: string) => {
        const oneLine = value.replace(/[\r\n]+/g, " ");
        edited.current = true;
        setText(oneLine);
        onBusy(true);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => void send(oneLine), SEND_DELAY_MS);
    };
    const onBlur = () => {
        if (!edited.current)
            return;
        if (!text.trim())
            setText(stored.current);
        void send(text);
    };
    return (
        <textarea
            ref={field}
            class="title"
            rows={1}
            value={text}
            maxLength={TITLE_MOST}
            readOnly={readonly}
            spellcheck={false}
            aria-label="Title"
            data-testid="title"
            onInput={(event) => onInput(event.currentTarget.value)}
            onBlur={onBlur}
            onKeyDown={(event) => {
                if (event.key === "Enter" && !event.isComposing) {
                    event.preventDefault();
                    onEnter();
                }
            }}
        />
    );
}
