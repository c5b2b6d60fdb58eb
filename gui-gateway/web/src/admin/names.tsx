// A few names in a row: taken away by their cross, added by typing; what is typed is completed by what there is.
import { useEffect, useId, useState } from "preact/hooks";
import { IconButton } from "../ui/button";

interface Props {
    label: string;
    names: string[];
    fixed?: string[]; /* shown behind, not to be taken away here */
    fixedWhy?: string;
    suggest: (typed: string) => Promise<string[]>;
    add: (name: string) => void;
    remove: (name: string) => void;
    testId: string;
}

export function Names({ label, names, fixed = [], fixedWhy, suggest, add, remove, testId }: Props) {
    const [typed, setTyped] = useState("");
    const [known, setKnown] = useState<string[]>([]);
    const list = useId();
    useEffect(() => {
        let over = false;
        const timer = setTimeout(() => suggest(typed.trim()).then((found) => !over && setKnown(found), () => {}), 200);
        return () => {
            over = true;
            clearTimeout(timer);
        };
    }, [typed]);
    const take = () => {
        const name = typed.trim();
        if (name && !names.includes(name))
            add(name);
        setTyped("");
    };
    return (
        <div class="names" role="group" aria-label={label} data-testid={testId}>
            <span class="names-label">{label}</span>
            <ul>
                {names.map((name) => (
                    <li key={name} class="name" data-name={name}>
                        {name}
                        <IconButton icon="close" label={`Take ${name} away`} data-testid={`${testId}-remove`} onClick={() => remove(name)} />
                    </li>
                ))}
                {fixed.map((name) => <li key={name} class="name fixed" title={fixedWhy} data-name={name}>{name}</li>)}
                <li class="name-new">
                    <input
                        class="choice"
                        value={typed}
                        list={list}
                        placeholder="Add…"
                        aria-label={`Add to: ${label}`}
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck={false}
                        data-testid={`${testId}-input`}
                        onInput={(event) => setTyped(event.currentTarget.value)}
                        onKeyDown={(event) => {
                            if (event.key === "Enter") {
                                event.preventDefault();
                                take();
                            }
                        }}
                    />
                    <button type="button" class="button small" data-testid={`${testId}-add`} disabled={!typed.trim()} onClick={take}>Add</button>
                </li>
            </ul>
            <datalist id={list}>{known.filter((name) => !names.includes(name)).map((name) => <option key={name} value={name} />)}</datalist>
        </div>
    );
}
