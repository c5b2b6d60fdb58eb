// A field for a user, group or team: names are offered while one types, and others may be typed too.
import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { peopleNamed, type Who } from "../lib/who";

const TYPING_MS = 200;

type Props = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value" | "onInput"> & {
    value: string;
    more?: Who[]; /* offered too: teams */
    onInput: (value: string) => void;
};

export function WhoField({ value, more = [], onInput, ...rest }: Props) {
    const [people, setPeople] = useState<Who[]>([]);
    const list = useId();
    useEffect(() => {
        const name = value.trim(), control = new AbortController();
        if (name === "")
            return;
        const timer = setTimeout(() => {
            peopleNamed(name, control.signal).then(setPeople, () => {}); /* a name that is not offered can be typed */
        }, TYPING_MS);
        return () => {
            clearTimeout(timer);
            control.abort();
        };
    }, [value]);
    return (
        <>
            <input {...rest} type="text" list={list} value={value} maxLength={200} autocomplete="off" onInput={(event) => onInput(event.currentTarget.value)} />
            <datalist id={list}>
                {[...more, ...people].map((one) => <option key={one.id} value={one.id}>{one.displayName ?? one.id}</option>)}
            </datalist>
        </>
    );
}
