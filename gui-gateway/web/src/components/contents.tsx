// What lies in a folder. It is put in and taken out at once, not with the form.
import { useEffect, useState } from "preact/hooks";
import type { Component, Reference, Rights } from "../lib/components";
import { folders } from "../lib/folders";
import type { ChildRule, ComponentClass, Model } from "../lib/model";
import { type Found, lookUp } from "../lib/search";
import { messageOf } from "../lib/told";
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import { notify, notifyError } from "../ui/toast";
import { pickComponents, type Rule } from "./picker";
import { keyOf, Row, useHolders } from "./rows";

const AT_ONCE = 100;

export function useFound(references: Reference[]): { list: Found[] | null; problem: string } {
    const [state, setState] = useState<{ list: Found[] | null; problem: string }>({ list: null, problem: "" });
    const keys = references.map(keyOf).join("\n");
    useEffect(() => {
        const control = new AbortController();
        lookUp(references, control.signal).then(
            (list) => setState({ list, problem: "" }),
            (error: unknown) => !control.signal.aborted && setState({ list: null, problem: messageOf(error) }));
        return () => control.abort();
    }, [keys]);
    return state;
}

/** A folder's rules name classes by their id. */
const ruleOf = (rule: ChildRule): Rule => ({ category: rule.category ?? "DOCUMENT", classId: rule.id });

export function Contents({ model, ofClass, component, rights, readonly, onChanged }: {
    model: Model;
    ofClass: ComponentClass;
    component: Component;
    rights: Rights;
    readonly: boolean;
    onChanged: (component: Component) => void;
}) {
    const all = component.children ?? [];
    const [most, setMost] = useState(AT_ONCE);
    const { list, problem } = useFound(all.slice(0, most));
    const holders = useHolders(list);
    const rules = (ofClass.children ?? []).map(ruleOf);

    async function change(what: Promise<Component>, done: string): Promise<void> {
        try {
            onChanged(await what);
            notify(done);
        } catch (error) {
            notifyError(`Not done: ${messageOf(error)}`);
        }
    }
    async function add(): Promise<void> {
        const chosen = await pickComponents({ title: `Put into “${component.name}”`, confirm: "Put in", model, rules, several: true, except: new Set(all.map(keyOf)) });
        if (chosen)
            await change(folders.add(component.id, chosen.map(({ category, id }) => ({ category, id }))), chosen.length === 1 ? `“${chosen[0]!.name}” is in it now.` : `${chosen.length} are in it now.`);
    }
    return (
        <div class="contents">
            {rights.has("ATTACH") && !readonly && rules.length > 0 && (
                <button type="button" class="button" data-testid="child-add" onClick={() => void add()}><Icon name="plus" /> Put something in</button>
            )}
            {problem && <p class="problem" role="alert">{problem}</p>}
            {all.length === 0 && <p class="faint" data-testid="folder-empty">It is empty.</p>}
            {!list && !problem && all.length > 0 && <ul class="doc-list flat" aria-hidden="true">{all.slice(0, most).map((one) => <li key={keyOf(one)} class="doc-row" />)}</ul>}
            {list && list.length > 0 && (
                <ul class="doc-list flat" aria-label="Contents">
                    {list.map((one) => (
                        <Row key={keyOf(one)} found={one} model={model} holder={holders.get(keyOf(one))}>
                            {rights.has("DETACH") && !readonly && (
                                <span class="doc-tools shown">
                                    <IconButton
                                        icon="close"
                                        label={`Take ${one.name} out`}
                                        data-testid="child-remove"
                                        onClick={() => void change(folders.remove(component.id, [{ category: one.category, id: one.id }]), `“${one.name}” is out of it.`)}
                                    />
                                </span>
                            )}
                        </Row>
                    ))}
                </ul>
            )}
            {all.length > most && <button type="button" class="button more" onClick={() => setMost(most + AT_ONCE)}>Show more ({all.length - most} left)</button>}
        </div>
    );
}
