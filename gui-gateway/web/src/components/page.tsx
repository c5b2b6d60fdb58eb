// One component: its form, its files, who holds it. A new one is the same form without an id.
import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { called, type Component, type ComponentClass, components, faultsOf, type FileRef, type Model, type TagReference } from "../lib/components";
import { guardLeaving, navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { LostPage } from "../pages/lost";
import { confirmDialog } from "../ui/dialog";
import { Account, Sections } from "../ui/header";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { notify, notifyError } from "../ui/toast";
import { Mark } from "../ui/umbel";
import { Fields, tagsOf, type Values, valuesOf } from "./fields";
import { Files } from "./files";
import { useModel } from "./library";
import { useHold } from "./use-hold";

interface Draft { name: string; values: Values; files: FileRef[] }

const draftOf = (component: Component): Draft => ({ name: component.name ?? "", values: valuesOf(component.tags), files: component.files ?? [] });

/** Faults of the body's first object, by tag; "" has what belongs to no field. */
function faultsByTag(error: unknown, sent: { name: string }[]): Map<string, string> {
    const faults = new Map<string, string>();
    for (const [path, message] of faultsOf(error)) {
        const at = /^\/0\/tags\/(\d+)/.exec(path);
        const named = /(?:tag|reference)s?\/([^/]+)$/.exec(path)?.[1];
        faults.set(at ? sent[Number(at[1])]?.name ?? "" : named ?? "", message);
    }
    return faults;
}

const initial = (reference: TagReference): string[] =>
    typeof reference.defaultValue === "string" && !reference.defaultValue.includes("${") ? [reference.defaultValue] : [];

function Top({ session }: { session: Session }) {
    return (
        <header class="top">
            <Link class="wordmark" href={paths.list}><Mark /> Umbel</Link>
            <Sections at="library" />
            <Account session={session} />
        </header>
    );
}

interface FormProps {
    session: Session;
    model: Model;
    ofClass: ComponentClass;
    component: Component | null; /* null: a new one */
    onSaved: (component: Component) => void;
}

function Form({ session, model, ofClass, component, onSaved }: FormProps) {
    const before = useMemo<Draft>(() => component ? draftOf(component) : {
        name: "",
        values: new Map((ofClass.tagReferences ?? []).map((reference) => [reference.tagName, initial(reference)])),
        files: [],
    }, [component]);
    const [draft, setDraft] = useState(before);
    const [faults, setFaults] = useState(new Map<string, string>());
    const [busy, setBusy] = useState(false);
    const hold = useHold(ofClass.category, component?.id ?? "");
    const readonly = hold.holder !== "";
    const dirty = draft !== before;

    useEffect(() => setDraft(before), [before]);
    useEffect(() => guardLeaving(async () => !dirty || confirmDialog({
        title: "Leave without saving?", body: "What you have changed here is not kept.", confirm: "Leave", danger: true,
    })), [dirty]);

    const change = (next: Partial<Draft>) => {
        if (component && !hold.mine)
            void hold.take();
        setDraft((old) => ({ ...old, ...next }));
    };

    async function save(event: Event): Promise<void> {
        event.preventDefault();
        const tags = tagsOf(draft.values);
        setBusy(true);
        try {
            const kept = component
                ? await components.update({ ...component, name: draft.name.trim(), tags, ...(component.files || draft.files.length ? { files: draft.files } : {}) })
                : await components.create(ofClass.category, {
                    name: draft.name.trim(), tags, data: { classId: ofClass.id }, ...(draft.files.length ? { files: draft.files } : {}),
                });
            setFaults(new Map());
            hold.drop();
            notify("Saved.");
            onSaved(kept);
        } catch (error) {
            setFaults(faultsByTag(error, tags));
            notifyError(error instanceof ApiError && error.status === 409 ? "Somebody else has changed it meanwhile. Open it again to see what is new."
                : `Not saved: ${error instanceof ApiError ? error.message : "unknown trouble"}`);
        }
        setBusy(false);
    }

    async function remove(): Promise<void> {
        if (!component || !await confirmDialog({ title: `Delete “${component.name}”?`, body: "It is gone for everybody.", confirm: "Delete", danger: true }))
            return;
        try {
            await components.remove(component.category, component.id);
            notify("Deleted.");
            void navigate(paths.library, { replace: true, force: true });
        } catch (error) {
            notifyError(`Not deleted: ${error instanceof ApiError ? error.message : "unknown trouble"}`);
        }
    }

    return (
        <form class="component" onSubmit={(event) => void save(event)} data-testid="component-form">
            <p class="crumbs"><Link href={paths.library}>Library</Link> / {called(ofClass.displayNames, ofClass.id)}</p>
            {readonly && <p class="badge" role="status" data-testid="held"><Icon name="lock" /> {hold.holder} has reserved it</p>}
            <div class="tag">
                <label for="component-name">Name<span class="needed" aria-hidden="true"> *</span></label>
                <input
                    id="component-name"
                    class="component-name"
                    required
                    maxLength={500}
                    disabled={readonly}
                    value={draft.name}
                    autocomplete="off"
                    data-testid="component-name"
                    onInput={(event) => change({ name: event.currentTarget.value })}
                />
            </div>
            {ofClass.collaborative && component && (
                <Link class="button text-open" href={paths.doc(`component/${session.scope}/${component.id}`)} data-testid="text-open">
                    <Icon name="pencil" /> Open the text
                </Link>
            )}
            <Fields model={model} ofClass={ofClass} values={draft.values} faults={faults} readonly={readonly} onChange={(values) => change({ values })} />
            {faults.has("") && <p class="problem" role="alert"><Icon name="warn" /> {faults.get("")}</p>}
            {ofClass.category === "DOCUMENT" && !ofClass.collaborative && (
                <Files documentId={component?.id ?? ""} files={draft.files} readonly={readonly} onChange={(files) => change({ files })} />
            )}
            <div class="actions">
                <button type="submit" class="button primary" disabled={busy || readonly || (component !== null && !dirty)} data-testid="component-save">
                    {busy ? "Saving…" : component ? "Save" : "Create"}
                </button>
                {component && !readonly && (
                    <button type="button" class="button" data-testid="component-delete" onClick={() => void remove()}><Icon name="trash" /> Delete</button>
                )}
            </div>
            {component && (
                <p class="about">
                    Version {component.data.version}, by {component.data.owner}, changed {component.data.lastUpdateDate?.slice(0, 16)}
                </p>
            )}
        </form>
    );
}

export function ComponentPage({ session, category, id }: { session: Session; category: string; id: string }) {
    const { model, problem } = useModel();
    const [component, setComponent] = useState<Component | null>(null);
    const [trouble, setTrouble] = useState<ApiError | null>(null);

    useEffect(() => {
        const control = new AbortController();
        components.get(category, id, control.signal).then(setComponent, (error: unknown) => {
            if (error instanceof ApiError && error.status !== 401)
                setTrouble(error);
        });
        return () => control.abort();
    }, [category, id]);
    useEffect(() => {
        document.title = `${component?.name ?? "Library"} – Umbel`;
    }, [component?.name]);

    if (trouble?.status === 404)
        return <LostPage title="This does not exist" text="It may have been deleted, or you may not read it." />;
    const ofClass = model?.classes.find((c) => c.id === component?.data.classId);
    return (
        <div class="page">
            <Top session={session} />
            <main id="content" class="list" tabIndex={-1}>
                {(problem || trouble) && <p class="problem" role="alert"><Icon name="warn" /> {problem || trouble?.message}</p>}
                {model && component && ofClass && <Form session={session} model={model} ofClass={ofClass} component={component} onSaved={setComponent} />}
                {model && component && !ofClass && <p class="problem" role="alert">Its class is no longer there.</p>}
            </main>
        </div>
    );
}

export function NewPage({ session, category, classId }: { session: Session; category: string; classId: string }) {
    const { model, problem } = useModel();
    const ofClass = model?.classes.find((c) => c.id === classId && c.category === category);

    useEffect(() => {
        document.title = "New – Umbel";
    }, []);
    if (model && !ofClass)
        return <LostPage title="There is no such class" text="Choose another one in the library." />;
    return (
        <div class="page">
            <Top session={session} />
            <main id="content" class="list" tabIndex={-1}>
                {problem && <p class="problem" role="alert"><Icon name="warn" /> {problem}</p>}
                {model && ofClass && (
                    <Form
                        session={session}
                        model={model}
                        ofClass={ofClass}
                        component={null}
                        onSaved={(kept) => void navigate(paths.component(kept.category, kept.id), { replace: true, force: true })}
                    />
                )}
            </main>
        </div>
    );
}
