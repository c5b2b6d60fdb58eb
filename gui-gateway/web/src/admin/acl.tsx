// The editor of one ACL. Saved with the version it was read with: who saved meanwhile is not overwritten.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Acl, acls, type Entry, neverReached, permissionsOf } from "../lib/acls";
import { ApiError } from "../lib/api";
import { paths } from "../lib/router";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { notify } from "../ui/toast";
import { type Draft, EntryRow } from "./acl-entry";
import { Head, Problem, Waiting } from "./parts";
import { useUnsavedGuard } from "./unsaved";

let lastKey = 0;

const draftsOf = (acl: Acl): Draft[] => (acl.entries ?? []).map((entry) => ({ key: ++lastKey, entry }));
const entriesOf = (drafts: Draft[]) => drafts.map(({ entry }) => ({ ...entry, principal: entry.principal.trim() }));
const isWhole = (entry: Entry) => entry.principal.trim() !== "" && permissionsOf(entry).length > 0;

/** The focus stays on the button that moved an entry, which moved with it. */
function useFocusAfterMove() {
    const wanted = useRef("");
    useLayoutEffect(() => {
        if (wanted.current)
            document.querySelector<HTMLElement>(wanted.current)?.focus();
        wanted.current = "";
    });
    return wanted;
}

function Conflict({ reload }: { reload: () => void }) {
    return (
        <div class="advice warn" role="alert" data-testid="acl-conflict">
            <Icon name="warn" />
            <div>
                <p><strong>Somebody else has saved this ACL meanwhile.</strong> Your changes are not saved; they are still here to compare.</p>
                <p><button type="button" class="button small" data-testid="acl-reload" onClick={reload}>Take the saved one</button></p>
            </div>
        </div>
    );
}

function Editor({ acl, reload }: { acl: Acl; reload: (saved?: Acl) => void }) {
    const [drafts, setDrafts] = useState(() => draftsOf(acl));
    const [said, setSaid] = useState("");
    const [problem, setProblem] = useState("");
    const [conflict, setConflict] = useState(false);
    const [saving, setSaving] = useState(false);
    const focus = useFocusAfterMove();
    const dirty = JSON.stringify(entriesOf(drafts)) !== JSON.stringify(acl.entries ?? []);
    const idle = neverReached(entriesOf(drafts));
    const whole = drafts.every(({ entry }) => isWhole(entry));
    useUnsavedGuard(dirty, "this ACL");

    const change = (key: number, entry: Entry) => setDrafts(drafts.map((d) => (d.key === key ? { key, entry } : d)));
    const move = (from: number, by: 1 | -1) => {
        const next = [...drafts];
        const [moved] = next.splice(from, 1);
        next.splice(from + by, 0, moved!);
        focus.current = `[data-row="${moved!.key}"] [data-act=${by < 0 ? "up" : "down"}]`;
        setSaid(`${moved!.entry.principal} is entry ${from + by + 1} of ${next.length} now`);
        setDrafts(next);
    };
    const add = () => {
        const key = ++lastKey;
        focus.current = `[data-row="${key}"] input`;
        setDrafts([...drafts, { key, entry: { principal: "", permission: ["READ"], grant: "ALLOW" } }]);
    };
    const remove = (key: number) => {
        focus.current = "[data-testid=acl-add]";
        setDrafts(drafts.filter((d) => d.key !== key));
    };
    const save = async () => {
        setSaving(true);
        setProblem("");
        try {
            const saved = await acls.save({ ...acl, entries: entriesOf(drafts) });
            notify("Saved; it holds from now on");
            reload(saved);
        } catch (error) {
            const refused = error instanceof ApiError && (error.status === 409 || error.status === 412);
            setConflict(refused);
            if (!refused)
                setProblem(error instanceof ApiError ? `Not saved: ${error.message}` : "Not saved.");
        }
        setSaving(false);
    };
    return (
        <>
            {conflict && <Conflict reload={() => reload()} />}
            <ol class="entries" aria-label="Entries, in their order">
                {drafts.map((draft, i) => (
                    <EntryRow
                        key={draft.key}
                        draft={draft}
                        place={i}
                        last={i === drafts.length - 1}
                        idle={idle.has(i)}
                        set={(entry) => change(draft.key, entry)}
                        move={(by) => move(i, by)}
                        remove={() => remove(draft.key)}
                    />
                ))}
            </ol>
            <p class="otherwise"><Icon name="lock" /> Otherwise: no.</p>
            <p class="visually-hidden" role="status">{said}</p>
            <Problem text={problem} />
            <div class="actions">
                <button type="button" class="button" data-testid="acl-add" onClick={add}><Icon name="plus" /> Add an entry</button>
                <button type="button" class="button primary" data-testid="acl-save" disabled={!dirty || !whole || saving} onClick={() => void save()}>
                    {saving ? "Saving…" : "Save"}
                </button>
            </div>
            {dirty && !whole && <p class="hint">Every entry needs a principal and a permission.</p>}
        </>
    );
}

function Rules({ acl }: { acl: Acl }) {
    return (
        <>
            <p class="hint">Rules decide here: the first whose conditions all hold names the ACL to use. They are changed in the model.</p>
            <ol class="entries">
                {acl.rules!.map((rule, i) => (
                    <li key={i} class="entry rule">
                        <span class="entry-place" aria-hidden="true">{i + 1}</span>
                        <span class="mono">{rule.conditions?.join(" and ") || "always"}</span>
                        <Link href={paths.admin("acls", rule.aclId)}>{rule.aclId}</Link>
                    </li>
                ))}
            </ol>
        </>
    );
}

export function AclPage({ id }: { id: string }) {
    const [acl, setAcl] = useState<Acl | null>(null);
    const [turn, setTurn] = useState(0); /* another one: the editor begins anew */
    const [problem, setProblem] = useState("");
    const load = (saved?: Acl) => {
        const got = (next: Acl) => {
            setAcl(next);
            setTurn((n) => n + 1);
            setProblem("");
        };
        if (saved)
            got(saved);
        else
            acls.get(id).then(got, (error: unknown) => setProblem(error instanceof ApiError ? error.message : "The ACL could not be read."));
    };
    useEffect(() => load(), []);
    return (
        <>
            <p class="crumbs"><Link href={paths.admin("acls")}>ACLs</Link></p>
            <Head title={acl?.name || id} count={acl ? `${acl.id}, version ${acl.data?.version ?? 0}` : ""} />
            <p class="hint">The first entry that names the user and the permission decides, from the top. A “deny” below an “allow” denies nothing.</p>
            <Problem text={problem} />
            {!acl && !problem && <Waiting />}
            {acl && (acl.rules?.length ? <Rules acl={acl} /> : <Editor key={turn} acl={acl} reload={load} />)}
        </>
    );
}
