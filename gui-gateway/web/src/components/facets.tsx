// What is found, by class and by the values of its tags: how many there are of each, and only those at a click.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type ComponentClass, findClass, type Model, nameOfTag } from "../lib/model";
import { called } from "../lib/names";
import { isChosen, toggled, withClass } from "../lib/query";
import { type Bucket, facet, type Query } from "../lib/search";
import { valueText } from "./values";

const MOST = 4; /* facets of a class: each is a search of its own */
const SHOWN = 7;
const TYPES = ["CHOICELIST", "CONDITIONAL", "ICON", "BOOLEAN", "USER", "FREELIST"];

/** Fields whose values are counted: choices of the class; who has it, where there is no class. */
export function facetsOf(model: Model, ofClass: ComponentClass | undefined): string[] {
    if (!ofClass)
        return ["owner"];
    return (ofClass.tagReferences ?? []).filter((reference) => !reference.technical && TYPES.includes(model.tags.get(reference.tagName)?.type ?? ""))
        .sort((a, b) => (a.order ?? 0) - (b.order ?? 0)).map((reference) => reference.tagName).slice(0, MOST);
}

/** Counts of all FIELDS, together: the list does not grow piece by piece. Null: none has come yet. */
function useCounts(query: Query, fields: string[], address: string): Map<string, Bucket[]> | null {
    const [counts, setCounts] = useState<Map<string, Bucket[]> | null>(null);
    useEffect(() => {
        const control = new AbortController();
        Promise.all(fields.map(async (field) => [field, await facet(query, field, control.signal).catch(() => [])] as const))
            .then((all) => !control.signal.aborted && setCounts(new Map(all))); /* what is wrong the search itself says */
        return () => control.abort();
    }, [address, fields.join()]);
    return counts;
}

interface FacetProps { model: Model; query: Query; buckets: Bucket[]; onChange: (query: Query) => void }

function Value({ text, count, pressed, onClick, testid }: { text: string; count: number; pressed: boolean; onClick: () => void; testid?: string }) {
    return (
        <li>
            <button type="button" class="facet-value" aria-pressed={pressed} data-testid={testid} onClick={onClick}>
                <span>{text}</span><span class="facet-count">{count}</span>
            </button>
        </li>
    );
}

function Classes({ model, query, buckets, onChange }: FacetProps) {
    return (
        <section class="facet">
            <h2>Class</h2>
            <ul>
                {model.classes.filter((c) => c.category === query.category).map((c) => (
                    <Value
                        key={c.id}
                        text={called(c.displayNames, c.id)}
                        count={buckets.find((bucket) => bucket.value === c.id)?.count ?? 0}
                        pressed={query.classId === c.id}
                        testid={`class-${c.id}`}
                        onClick={() => onChange(withClass(query, query.classId === c.id ? "" : c.id))}
                    />
                ))}
            </ul>
        </section>
    );
}

const OWN: Record<string, string> = { owner: "Owner" };

function Facet({ model, query, buckets, field, onChange }: FacetProps & { field: string }) {
    const [all, setAll] = useState(false);
    const tag = model.tags.get(field);
    const chosen = query.where.find((one) => one.field === field && one.operator === "is")?.values ?? [];
    const gone = chosen.filter((value) => !buckets.some((bucket) => bucket.value === value)).map((value) => ({ value, count: 0 }));
    const list = [...buckets, ...gone];
    if (list.length < 2 && chosen.length === 0)
        return null; /* there is nothing to choose */
    return (
        <section class="facet" data-testid={`facet-${field}`}>
            <h2>{OWN[field] ?? nameOfTag(model, field)}</h2>
            <ul>
                {list.slice(0, all ? list.length : SHOWN).map(({ value, count }) => (
                    <Value
                        key={value} text={valueText(tag, value)} count={count} pressed={isChosen(query, field, value)} testid={`facet-${field}-${value}`}
                        onClick={() => onChange(toggled(query, field, value))}
                    />
                ))}
            </ul>
            {list.length > SHOWN && <button type="button" class="plain" onClick={() => setAll(!all)}>{all ? "Fewer" : `All ${list.length}`}</button>}
        </section>
    );
}

/** CHILDREN stand below, when the counts are there. */
export function Facets({ model, query, address, onChange, children }: {
    model: Model;
    query: Query;
    address: string;
    onChange: (query: Query) => void;
    children: ComponentChildren;
}) {
    const fields = facetsOf(model, findClass(model, query.category, query.classId));
    const counts = useCounts(query, ["classid", ...fields], address);
    if (!counts)
        return null;
    return (
        <>
            <Classes model={model} query={query} buckets={counts.get("classid") ?? []} onChange={onChange} />
            {fields.map((field) => <Facet key={field} model={model} query={query} buckets={counts.get(field) ?? []} field={field} onChange={onChange} />)}
            {children}
        </>
    );
}
