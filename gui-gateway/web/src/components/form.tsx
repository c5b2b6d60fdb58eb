// The form of a component: its name and fields, what belongs to it beside them in tabs, and what keeps it.
import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { type Component, components, isoOf, type Rights } from "../lib/components";
import type { ComponentClass, Model } from "../lib/model";
import { called } from "../lib/names";
import { guardLeaving, navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { ago, exactly } from "../lib/time";
import { messageOf } from "../lib/told";
import { confirmDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { Tabs } from "../ui/tabs";
import { notify, notifyError } from "../ui/toast";
import { type Draft, draftOf, emptyDraft, faultsByTag, whyReadOnly } from "./draft";
import { Fields, tagsOf } from "./fields";
import { Head, Held } from "./head";
import { Star } from "./kept";
import { tabsOf } from "./parts";
import { TaskPanel } from "./task";
import type { Hold } from "./use-hold";

export interface FormProps {
    session: Session;
    model: Model;
    ofClass: ComponentClass;
    rights: Rights;
    component: Component | null; /* null: a new one */
    hold: Hold;
    onChanged: (component: Component) => void;
}

/** What lies in folders is more than what is said of them; what a virtual folder finds comes too late to stand first. */
const SHAPES: Record<string, string> = { FOLDER: "wide-side first", VIRTUAL_FOLDER: "wide-side" };

/** What is sent: the parts of a folder have calls of their own. */
function bodyOf(component: Component | null, ofClass: ComponentClass, draft: Draft) {
    const { children: _, ...rest } = component ?? { data: { classId: ofClass.id } };
    return {
        ...rest, name: draft.name.trim(), tags: tagsOf(draft.values),
        ...(component?.files || draft.files.length > 0 ? { files: draft.files } : {}),
        ...(component?.attachments || draft.attachments.length > 0 ? { attachments: draft.attachments } : {}),
    };
}

function About({ component }: { component: Component }) {
    const { version, owner, creationDate, lastUpdateDate } = component.data;
    const made = isoOf(creationDate), changed = isoOf(lastUpdateDate);
    return (
        <p class="about">
            Version {version} · of {owner}, made <time dateTime={made} title={exactly(made)}>{ago(made)}</time>
            {" · "}changed <time dateTime={changed} title={exactly(changed)}>{ago(changed)}</time>
        </p>
    );
}

export function NameField({ value, disabled, onInput }: { value: string; disabled: boolean; onInput?: (value: string) => void }) {
    return (
        <div class="tag name-tag">
            <label for="component-name">Name{!disabled && <span class="needed" aria-hidden="true"> *</span>}</label>
            <input
                id="component-name"
                class="component-name"
                required
                maxLength={500}
                disabled={disabled}
                value={value}
                autocomplete="off"
                data-testid="component-name"
                onInput={(event) => onInput?.(event.currentTarget.value)}
            />
        </div>
    );
}

/** Text that is written together is a document of its own. */
function OpenText({ session, component }: { session: Session; component: Component }) {
    return (
        <Link class="button primary" href={paths.doc(`component/${session.scope}/${component.id}`)} data-testid="text-open">
            <Icon name="pencil" /> Open the text
        </Link>
    );
}

async function remove(component: Component): Promise<void> {
    if (!await confirmDialog({ title: `Delete “${component.name}”?`, body: "It is gone for everybody.", confirm: "Delete", danger: true }))
        return;
    try {
        await components.remove(component.category, component.id);
        notify("Deleted.");
        void navigate(paths.library, { replace: true, force: true });
    } catch (error) {
        notifyError(`Not deleted: ${messageOf(error)}`);
    }
}

const sameFields = (a: Component | null, b: Component | null) => a?.name === b?.name && JSON.stringify(a?.tags) === JSON.stringify(b?.tags);

/** The draft, and what it was made from. A change of something else (a version, a child) does not take away what is typed; one of
 * the fields leaves the draft on what it was made from, so that the core refuses to put it over the change. */
function useDraft(component: Component | null, ofClass: ComponentClass) {
    const before = useMemo(() => (component ? draftOf(component) : emptyDraft(ofClass)), [component]);
    const [draft, setDraft] = useState(before);
    const [base, setBase] = useState({ draft: before, component });
    const dirty = draft !== base.draft;

    const kept = (next: Draft, of: Component | null) => {
        setDraft(next);
        setBase({ draft: next, component: of });
    };
    useEffect(() => {
        if (!dirty)
            kept(before, component);
        else if (sameFields(base.component, component))
            setBase((old) => ({ ...old, component }));
    }, [before]);
    useEffect(() => guardLeaving(async () => !dirty || confirmDialog({
        title: "Leave without saving?", body: "What you have changed here is not kept.", confirm: "Leave", danger: true,
    })), [dirty]);
    useEffect(() => {
        const ask = (event: BeforeUnloadEvent) => dirty && event.preventDefault();
        addEventListener("beforeunload", ask);
        return () => removeEventListener("beforeunload", ask);
    }, [dirty]);
    return { draft, setDraft, dirty, madeFrom: base.component, kept };
}

export function Form({ session, model, ofClass, rights, component, hold, onChanged }: FormProps) {
    const { draft, setDraft, dirty, madeFrom, kept } = useDraft(component, ofClass);
    const [faults, setFaults] = useState(new Map<string, string>());
    const [busy, setBusy] = useState(false);
    const refused = whyReadOnly(component, ofClass, rights);
    const held = hold.holder !== "", readonly = held || refused !== "";

    const change = (next: Partial<Draft>) => {
        if (component && !hold.mine)
            void hold.take();
        setDraft((old) => ({ ...old, ...next }));
    };

    async function save(event: Event): Promise<void> {
        event.preventDefault();
        const body = bodyOf(madeFrom, ofClass, draft);
        setBusy(true);
        try {
            const next = component ? await components.update(body as Component) : await components.create(ofClass.category, body as Partial<Component>);
            setFaults(new Map());
            kept(draftOf(next), next);
            hold.drop();
            notify("Saved.");
            onChanged(next);
        } catch (error) {
            setFaults(faultsByTag(error, body.tags));
            notifyError(error instanceof ApiError && error.status === 409 ? "Somebody else has changed it meanwhile. Open it again to see what is new."
                : `Not saved: ${messageOf(error)}`);
        }
        setBusy(false);
    }

    const tabs = tabsOf({ model, ofClass, rights, component, draft, readonly, held, change, onChanged });
    const shape = tabs.length === 0 ? "alone" : (component && SHAPES[ofClass.category]) || "";
    return (
        <form class={`paper ${shape}`} onSubmit={(event) => void save(event)} data-testid="component-form">
            <Head
                ofClass={ofClass}
                title={component?.name ?? `New: ${called(ofClass.displayNames, ofClass.id)}`}
                badges={<Held hold={hold} />}
                actions={component && (
                    <>
                        <Star category={component.category} id={component.id} />
                        {ofClass.collaborative && rights.has("READ_CONTENT") && <OpenText session={session} component={component} />}
                        {rights.has("DELETE") && !held && (
                            <button type="button" class="button" data-testid="component-delete" onClick={() => void remove(component)}><Icon name="trash" /> Delete</button>
                        )}
                    </>
                )}
            />
            {refused && <p class="note refused" role="note" data-testid="read-only"><Icon name="lock" /> {refused}</p>}
            <div class="paper-main">
                {component && ofClass.category === "TASK" && (
                    <TaskPanel
                        session={session} model={model} ofClass={ofClass} component={component} rights={rights} dirty={dirty} held={held} onChanged={onChanged}
                    />
                )}
                <NameField value={draft.name} disabled={readonly} onInput={(name) => change({ name })} />
                <Fields
                    model={model} ofClass={ofClass} values={draft.values} faults={faults} readonly={readonly} isNew={!component}
                    onChange={(values) => change({ values })}
                />
                {faults.has("") && <p class="problem" role="alert"><Icon name="warn" /> {faults.get("")}</p>}
                {refused === "" && (
                    <div class="actions">
                        <button type="submit" class="button primary" disabled={busy || readonly || (component !== null && !dirty)} data-testid="component-save">
                            {busy ? "Saving…" : component ? "Save" : "Create"}
                        </button>
                        {component && dirty && !busy && <span class="unsaved" role="status">Not saved yet</span>}
                    </div>
                )}
                {component && <About component={component} />}
            </div>
            {tabs.length > 0 && <aside class="paper-side"><Tabs label="What belongs to it" tabs={tabs} /></aside>}
        </form>
    );
}
