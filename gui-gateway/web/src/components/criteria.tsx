// Conditions on tags: a field, a comparison, a value. What is asked for stands above the results and is taken away there.
import { useState } from "preact/hooks";
import { type ComponentClass, findClass, type Model, nameOfTag } from "../lib/model";
import { called } from "../lib/names";
import type { Query, Where } from "../lib/search";
import { Icon } from "../ui/icons";
import { valueText } from "./values";

interface Comparison { operator: string; text: string }

const TEXTS: Comparison[] = [{ operator: "contains", text: "contains" }, { operator: "is", text: "is" }, { operator: "starts", text: "begins with" }, { operator: "not", text: "is not" }];
const CHOICES: Comparison[] = [{ operator: "is", text: "is" }, { operator: "not", text: "is not" }];
const NUMBERS: Comparison[] = [{ operator: "over", text: "more than" }, { operator: "under", text: "less than" }, { operator: "between", text: "between" }, { operator: "is", text: "is" }];
const DATES: Comparison[] = [{ operator: "between", text: "between" }, { operator: "over", text: "after" }, { operator: "under", text: "before" }, { operator: "is", text: "on" }];
const BY_TYPE: Record<string, Comparison[]> = {
    CHOICELIST: CHOICES, CONDITIONAL: CHOICES, ICON: CHOICES, BOOLEAN: CHOICES, INT: NUMBERS, FLOAT: NUMBERS, CURRENCY: NUMBERS, DATE: DATES,
};

/** Fields that every component has. */
const OWN: Record<string, { text: string; type: string }> = {
    name: { text: "Name", type: "STRING" }, owner: { text: "Owner", type: "USER" }, status: { text: "State", type: "STRING" },
    creationDate: { text: "Made", type: "DATE" }, lastUpdateDate: { text: "Changed", type: "DATE" },
};

const typeOf = (model: Model, field: string) => model.tags.get(field)?.type ?? OWN[field]?.type ?? "STRING";
const comparisonsOf = (model: Model, field: string) => BY_TYPE[typeOf(model, field)] ?? TEXTS;
const textOfField = (model: Model, field: string) => (model.tags.has(field) ? nameOfTag(model, field) : OWN[field]?.text ?? field);

const fieldsOf = (ofClass: ComponentClass | undefined) => [
    ...(ofClass?.tagReferences ?? []).filter((reference) => !reference.technical).map((reference) => reference.tagName), ...Object.keys(OWN),
];

export function whereText(model: Model, one: Where): string {
    const comparison = comparisonsOf(model, one.field).find((c) => c.operator === one.operator)?.text ?? one.operator;
    const tag = model.tags.get(one.field) ?? (typeOf(model, one.field) === "DATE" ? { id: one.field, type: "DATE" } : undefined);
    return `${textOfField(model, one.field)} ${comparison} ${one.values.map((value) => valueText(tag, value)).join(one.operator === "between" ? " and " : " or ")}`;
}

/** What is asked for, each with its end. */
export function Asked({ model, query, onChange }: { model: Model; query: Query; onChange: (query: Query) => void }) {
    if (query.where.length === 0)
        return null;
    return (
        <ul class="asked" aria-label="Conditions">
            {query.where.map((one) => (
                <li key={JSON.stringify(one)}>
                    <button
                        type="button" class="chip on" data-testid="asked" aria-label={`Remove the condition: ${whereText(model, one)}`}
                        onClick={() => onChange({ ...query, where: query.where.filter((other) => other !== one) })}
                    >
                        {whereText(model, one)} <Icon name="close" />
                    </button>
                </li>
            ))}
        </ul>
    );
}

function Value({ model, field, label, value, onInput }: { model: Model; field: string; label: string; value: string; onInput: (value: string) => void }) {
    const tag = model.tags.get(field), type = typeOf(model, field);
    const choices = type === "BOOLEAN" ? ["true", "false"] : tag?.allowedValues?.map((one) => one.symbolicName);
    if (choices)
        return (
            <select aria-label={label} required value={value} data-testid="criterion-value" onChange={(event) => onInput(event.currentTarget.value)}>
                <option value="" />
                {choices.map((one) => <option key={one} value={one}>{valueText(tag, one)}</option>)}
            </select>
        );
    return (
        <input
            aria-label={label}
            required
            type={type === "DATE" ? "date" : "text"}
            inputMode={BY_TYPE[type] === NUMBERS ? "decimal" : undefined}
            value={value}
            autocomplete="off"
            data-testid="criterion-value"
            onInput={(event) => onInput(event.currentTarget.value)}
        />
    );
}

export function AddCriterion({ model, query, onChange }: { model: Model; query: Query; onChange: (query: Query) => void }) {
    const fields = fieldsOf(findClass(model, query.category, query.classId));
    const [chosen, setChosen] = useState("");
    const field = fields.includes(chosen) ? chosen : fields[0]!;
    const comparisons = comparisonsOf(model, field);
    const [wanted, setWanted] = useState("");
    const operator = comparisons.some((one) => one.operator === wanted) ? wanted : comparisons[0]!.operator;
    const [values, setValues] = useState(["", ""]);

    const add = (event: Event) => {
        event.preventDefault();
        const given = values.slice(0, operator === "between" ? 2 : 1).map((value) => value.trim());
        if (given.some((value) => value === ""))
            return;
        setValues(["", ""]);
        onChange({ ...query, where: [...query.where, { field, operator, values: given }] });
    };
    return (
        <form class="facet criterion" onSubmit={add}>
            <h2>Condition</h2>
            <select aria-label="Field" value={field} data-testid="criterion-field" onChange={(event) => setChosen(event.currentTarget.value)}>
                {fields.map((one) => <option key={one} value={one}>{textOfField(model, one)}</option>)}
            </select>
            <select aria-label="Comparison" value={operator} data-testid="criterion-operator" onChange={(event) => setWanted(event.currentTarget.value)}>
                {comparisons.map((one) => <option key={one.operator} value={one.operator}>{one.text}</option>)}
            </select>
            <Value model={model} field={field} label="Value" value={values[0]!} onInput={(value) => setValues([value, values[1]!])} />
            {operator === "between" && <Value model={model} field={field} label="and" value={values[1]!} onInput={(value) => setValues([values[0]!, value])} />}
            <button type="submit" class="button small" data-testid="criterion-add"><Icon name="plus" /> Add</button>
        </form>
    );
}

/** Orders that make sense for what is looked for. */
export function ordersOf(model: Model, query: Query): { sort: string; text: string }[] {
    const ofClass = findClass(model, query.category, query.classId);
    const tags = (ofClass?.tagReferences ?? []).filter((reference) => !reference.technical && typeOf(model, reference.tagName) !== "TEXT");
    return [
        { sort: "-lastUpdateDate", text: "Newest change first" }, { sort: "lastUpdateDate", text: "Oldest change first" },
        { sort: "name", text: "Name" }, { sort: "-name", text: "Name, backwards" },
        ...tags.flatMap(({ tagName }) => [
            { sort: tagName, text: `${called(model.tags.get(tagName)?.displayNames, tagName)}, rising` },
            { sort: `-${tagName}`, text: `${called(model.tags.get(tagName)?.displayNames, tagName)}, falling` },
        ]),
    ];
}
