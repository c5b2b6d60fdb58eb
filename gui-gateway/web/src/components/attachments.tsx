// What is attached to a task, slot by slot. Kept with the form.
import type { Attachment } from "../lib/components";
import type { ChildRule, ComponentClass, Model } from "../lib/model";
import { called } from "../lib/names";
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import { useFound } from "./contents";
import { pickComponents } from "./picker";
import { keyOf, Row, useHolders } from "./rows";

export const slotsOf = (ofClass: ComponentClass): ChildRule[] =>
    [...(ofClass.children ?? [])].filter((slot) => !slot.technical).sort((a, b) => (a.order ?? 0) - (b.order ?? 0));

const isRequired = (slot: ChildRule) => slot.required === true || (typeof slot.required === "string" && slot.required !== "" && slot.required !== "NO");

interface SlotProps {
    model: Model;
    slot: ChildRule;
    attached: Attachment | undefined;
    may: { add: boolean; remove: boolean };
    onChange: (ids: string[], category: string) => void;
}

function Slot({ model, slot, attached, may, onChange }: SlotProps) {
    const name = called(slot.displayNames, slot.id);
    const category = attached?.category ?? slot.category ?? "DOCUMENT", ids = attached?.componentIds ?? [];
    const { list, problem } = useFound(ids.map((id) => ({ category, id })));
    const holders = useHolders(list);
    const isFull = ids.length > 0 && !slot.multivalued;

    async function add(): Promise<void> {
        const chosen = await pickComponents({
            title: `Attach: ${name}`, confirm: "Attach", model, rules: [{ category, classId: slot.classId ?? "*" }], several: slot.multivalued === true,
            except: new Set(ids.map((id) => keyOf({ category, id }))),
        });
        if (chosen)
            onChange([...ids, ...chosen.map((one) => one.id)], category);
    }
    return (
        <section class="slot" aria-label={name} data-testid={`slot-${slot.id}`}>
            <h2>{name}{isRequired(slot) && <span class="needed" title="Needed before it can be answered"> *</span>}</h2>
            {problem && <p class="problem" role="alert">{problem}</p>}
            {ids.length === 0 && <p class="faint">Nothing attached.</p>}
            {list && list.length > 0 && (
                <ul class="doc-list flat" aria-label={name}>
                    {list.map((one) => (
                        <Row key={keyOf(one)} found={one} model={model} holder={holders.get(keyOf(one))}>
                            {may.remove && (
                                <span class="doc-tools shown">
                                    <IconButton icon="close" label={`Detach ${one.name}`} data-testid="detach" onClick={() => onChange(ids.filter((id) => id !== one.id), category)} />
                                </span>
                            )}
                        </Row>
                    ))}
                </ul>
            )}
            {list && list.length < ids.length && <p class="faint">{ids.length - list.length} more that you may not read.</p>}
            {may.add && !isFull && (
                <button type="button" class="button small" data-testid={`attach-${slot.id}`} onClick={() => void add()}><Icon name="plus" /> Attach</button>
            )}
        </section>
    );
}

export function Attachments({ model, ofClass, attachments, may, onChange }: {
    model: Model;
    ofClass: ComponentClass;
    attachments: Attachment[];
    may: { add: boolean; remove: boolean };
    onChange: (attachments: Attachment[]) => void;
}) {
    const change = (slot: string) => (componentIds: string[], category: string) => {
        const others = attachments.filter((one) => one.id !== slot);
        onChange(componentIds.length > 0 ? [...others, { ...attachments.find((one) => one.id === slot), id: slot, category, componentIds }] : others);
    };
    return (
        <div class="contents">
            {slotsOf(ofClass).map((slot) => (
                <Slot
                    key={slot.id}
                    model={model}
                    slot={slot}
                    attached={attachments.find((one) => one.id === slot.id)}
                    may={slot.readonly ? { add: false, remove: false } : may}
                    onChange={change(slot.id)}
                />
            ))}
        </div>
    );
}
