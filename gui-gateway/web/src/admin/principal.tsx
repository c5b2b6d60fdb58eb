// What the pages of one user and of one group share: reading, the draft, saving it against who saved meanwhile.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { paths } from "../lib/router";
import type { Group, User } from "../lib/users";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { notify } from "../ui/toast";
import { Head, Problem, Waiting } from "./parts";
import { useUnsavedGuard } from "./unsaved";

const reasonOf = (error: unknown, otherwise: string) => (error instanceof ApiError ? error.message : otherwise);

export interface Opened<T> {
    one: T;
    set: (change: Partial<T>) => void;
    saved: T;
    reload: () => void;
}

interface Props<T> {
    id: string;
    kind: "users" | "groups";
    calls: { get: (id: string) => Promise<T>; save: (one: T) => Promise<T> };
    fields: (opened: Opened<T>) => ComponentChildren; /* what is saved together */
    acts: (opened: Opened<T>) => ComponentChildren; /* what acts at once */
}

function Conflict({ reload }: { reload: () => void }) {
    return (
        <div class="advice warn" role="alert" data-testid="principal-conflict">
            <Icon name="warn" />
            <div>
                <p><strong>Somebody else has saved this meanwhile.</strong> Your changes are not saved; they are still here to compare.</p>
                <p><button type="button" class="button small" data-testid="principal-reload" onClick={reload}>Take the saved one</button></p>
            </div>
        </div>
    );
}

function Editor<T extends User | Group>({ saved, props, reload }: { saved: T; props: Props<T>; reload: (next?: T) => void }) {
    const [one, setOne] = useState(saved);
    const [problem, setProblem] = useState("");
    const [conflict, setConflict] = useState(false);
    const [saving, setSaving] = useState(false);
    const dirty = JSON.stringify(one) !== JSON.stringify(saved);
    useUnsavedGuard(dirty, props.id);
    const save = async (event: Event) => {
        event.preventDefault();
        setSaving(true);
        setProblem("");
        try {
            reload(await props.calls.save(one));
            notify("Saved; it holds from now on");
        } catch (error) {
            const late = error instanceof ApiError && (error.status === 409 || error.status === 412);
            setConflict(late);
            setProblem(late ? "" : `Not saved: ${reasonOf(error, "no answer")}`);
        }
        setSaving(false);
    };
    const opened = { one, saved, set: (change: Partial<T>) => setOne({ ...one, ...change }), reload: () => reload() };
    return (
        <>
            {conflict && <Conflict reload={() => reload()} />}
            <form class="principal" onSubmit={(event) => void save(event)}>
                {props.fields(opened)}
                <Problem text={problem} />
                <div class="actions">
                    <button type="submit" class="button primary" data-testid="principal-save" disabled={!dirty || saving}>{saving ? "Saving…" : "Save"}</button>
                    {dirty && <span class="unsaved">Not saved yet</span>}
                </div>
            </form>
            {props.acts(opened)}
        </>
    );
}

export function PrincipalPage<T extends User | Group>(props: Props<T>) {
    const { id, kind, calls } = props;
    const [saved, setSaved] = useState<T | null>(null);
    const [turn, setTurn] = useState(0); /* another one: the editor begins anew */
    const [problem, setProblem] = useState("");
    const load = (next?: T) => {
        const got = (one: T) => {
            setSaved(one);
            setTurn((n) => n + 1);
            setProblem("");
        };
        if (next)
            got(next);
        else
            calls.get(id).then(got, (error: unknown) => setProblem(reasonOf(error, "It could not be read.")));
    };
    useEffect(() => load(), []);
    return (
        <>
            <p class="crumbs"><Link href={paths.admin(kind)}>{kind === "users" ? "Users" : "Groups"}</Link></p>
            <Head title={saved?.displayName || id} count={saved?.displayName && saved.displayName !== id ? id : ""} />
            <Problem text={problem} />
            {!saved && !problem && <Waiting />}
            {saved && <Editor key={turn} saved={saved} props={props} reload={load} />}
        </>
    );
}

/** A line of text of ONE; emptied, it is none. */
export function Line<T extends User | Group>({ opened, name, label, type = "text" }: { opened: Opened<T>; name: string; label: string; type?: string }) {
    return (
        <label class="field">
            <span>{label}</span>
            <input
                type={type}
                value={(opened.one[name] as string | null | undefined) ?? ""}
                maxLength={320}
                autocomplete="off"
                data-testid={`principal-${name}`}
                onInput={(event) => opened.set({ [name]: event.currentTarget.value || null } as Partial<T>)}
            />
        </label>
    );
}
