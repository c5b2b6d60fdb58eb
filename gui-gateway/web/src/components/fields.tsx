// The form of a component, made from its class: one field for each tag, grouped by the class' tag categories.
import type { JSX } from "preact";
import type { Tag } from "../lib/components";
import type { ComponentClass, Model, TagClass, TagReference } from "../lib/model";
import { called } from "../lib/names";
import { WhoField } from "./who-field";

export type Values = Map<string, string[]>;

const INPUTS: Record<string, JSX.InputHTMLAttributes<HTMLInputElement>> = {
    INT: { inputMode: "numeric" },
    FLOAT: { inputMode: "decimal" },
    CURRENCY: { inputMode: "decimal" },
    DATE: { type: "date" },
};
const CHOICES = ["CHOICELIST", "ICON", "CONDITIONAL"];

export const valuesOf = (tags: Tag[] | undefined): Values => new Map((tags ?? []).map((tag) => [tag.name, tag.value]));

/** What is empty is left out: the core clears what is absent. */
export const tagsOf = (values: Values): Tag[] =>
    [...values].map(([name, value]) => ({ name, value: value.map((v) => v.trim()).filter(Boolean) })).filter((tag) => tag.value.length > 0);

/** Dates of the core carry a time and a zone; the field has the day. */
const dayOf = (value: string) => /^\d{4}-\d\d-\d\d/.exec(value)?.[0] ?? value;

export interface FieldProps {
    reference: TagReference;
    within?: string; /* what its id begins with; two fields of one tag may be on a page */
    tag: TagClass | undefined;
    value: string[];
    values: Values; /* of all fields: what a choice depends on */
    fault: string;
    readonly: boolean;
    onChange: (value: string[]) => void;
}

/** "${tags.X}==A", "${tags.X}!=A": one that holds offers the choice. */
function isOffered(conditions: string[] | undefined, values: Values): boolean {
    return !conditions?.length || conditions.some((condition) => {
        const [, name, operator, wanted] = /^\$\{tags\.([^}]+)\}(==|!=)(.*)$/.exec(condition.trim()) ?? [];
        return name !== undefined && (values.get(name) ?? []).includes(wanted!) === (operator === "==");
    });
}

function Choice({ id, tag, value, values, required, disabled, describedBy, onChange }: {
    id: string; tag: TagClass; value: string[]; values: Values; required: boolean; disabled: boolean; describedBy: string | undefined;
    onChange: (value: string[]) => void;
}) {
    const offered = (tag.allowedValues ?? []).filter((one) => one.symbolicName === value[0] || isOffered(one.conditions, values));
    return (
        <select id={id} required={required} disabled={disabled} aria-describedby={describedBy} onChange={(event) => onChange([event.currentTarget.value])}>
            <option value="" selected={!value[0]} />
            {offered.map((allowed) => (
                <option key={allowed.symbolicName} value={allowed.symbolicName} selected={value[0] === allowed.symbolicName}>
                    {called(allowed.displayNames, allowed.symbolicName)}
                </option>
            ))}
        </select>
    );
}

export function TagField({ reference, within = "tag", tag, value, values, fault, readonly, onChange }: FieldProps) {
    const id = `${within}-${reference.tagName}`;
    const type = tag?.type ?? "STRING";
    const disabled = readonly;
    const required = reference.mandatory === true;
    const hint = called(reference.descriptions, "");
    const describedBy = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
    const common = { id, required, disabled, "aria-invalid": fault ? true : undefined, "aria-describedby": describedBy };
    const several = reference.multivalued === true && !CHOICES.includes(type);

    let control;
    if (CHOICES.includes(type) && tag)
        control = <Choice id={id} tag={tag} value={value} values={values} required={required} disabled={disabled} describedBy={describedBy} onChange={onChange} />;
    else if (type === "BOOLEAN")
        control = (
            <input {...common} required={false} type="checkbox" checked={value[0] === "true"} onChange={(event) => onChange([String(event.currentTarget.checked)])} />
        );
    else if (type === "USER" && !several)
        control = <WhoField {...common} value={value[0] ?? ""} onInput={(who) => onChange([who])} />;
    else if (type === "TEXT" || several)
        control = (
            <textarea
                {...common}
                rows={several ? 2 : 3}
                value={value.join("\n")}
                placeholder={several ? "One on each line" : ""}
                onInput={(event) => onChange(several ? event.currentTarget.value.split("\n") : [event.currentTarget.value])}
            />
        );
    else
        control = (
            <input
                {...common}
                type="text"
                {...INPUTS[type]}
                value={type === "DATE" ? dayOf(value[0] ?? "") : value[0] ?? ""}
                autocomplete="off"
                onInput={(event) => onChange([event.currentTarget.value])}
            />
        );
    return (
        <div class={type === "BOOLEAN" ? "tag tag-check" : "tag"} data-testid={id}>
            <label for={id}>
                {called(tag?.displayNames, reference.tagName)}
                {required && !disabled && <span class="needed" aria-hidden="true"> *</span>}
            </label>
            {control}
            {hint && <p id={`${id}-hint`} class="hint">{hint}</p>}
            {fault && <p id={`${id}-fault`} class="problem">{fault}</p>}
        </div>
    );
}

/** The class' tags in its order, those of a category together, the others behind. */
function groupsOf(model: Model, ofClass: ComponentClass): { title: string; references: TagReference[] }[] {
    const left = [...(ofClass.tagReferences ?? [])].filter((r) => !r.technical).sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    const groups = (ofClass.tagCategories ?? []).map((id) => model.groups.get(id)).filter((group) => group !== undefined).map((group) => {
        const own = left.filter((reference) => group.tags?.includes(reference.tagName));
        own.forEach((reference) => left.splice(left.indexOf(reference), 1));
        return { title: called(group.displayNames, group.id), references: own };
    });
    return [...groups, { title: groups.length > 0 ? "More" : "", references: left }].filter((group) => group.references.length > 0);
}

export function Fields({ model, ofClass, values, faults, readonly, isNew, onChange }: {
    model: Model;
    ofClass: ComponentClass;
    values: Values;
    faults: Map<string, string>; /* tag -> what is wrong */
    readonly: boolean;
    isNew: boolean; /* what is read-only is said once, at the creation */
    onChange: (values: Values) => void;
}) {
    const set = (name: string, value: string[]) => onChange(new Map(values).set(name, value));
    return (
        <>
            {groupsOf(model, ofClass).map((group) => (
                <fieldset key={group.title} class="tags">
                    {group.title && <legend>{group.title}</legend>}
                    {group.references.map((reference) => (
                        <TagField
                            key={reference.tagName}
                            reference={reference}
                            tag={model.tags.get(reference.tagName)}
                            value={values.get(reference.tagName) ?? []}
                            values={values}
                            fault={faults.get(reference.tagName) ?? ""}
                            readonly={readonly || (reference.readonly === true && !isNew)}
                            onChange={(value) => set(reference.tagName, value)}
                        />
                    ))}
                </fieldset>
            ))}
        </>
    );
}
