// A search as an address: ?q=words&in=FOLDER&class=SupplierFile&where=Amount:over:100&sort=-Amount. What is as always is left out.
import { isCategory } from "./categories";
import { NEWEST, OPERATORS, type Query, type Where } from "./search";

const CRITERIA_MOST = 18; /* the core takes 20, words and class among them */

/** "field:operator:value:value", each encoded. */
const whereText = (one: Where) => [one.field, one.operator, ...one.values].map(encodeURIComponent).join(":");

function whereOf(text: string): Where[] {
    try {
        const [field, operator, ...values] = text.split(":").map(decodeURIComponent);
        return field && operator && operator in OPERATORS && values.length > 0 ? [{ field, operator, values }] : [];
    } catch {
        return [];
    }
}

export function queryOf(search: string): Query {
    const asked = new URLSearchParams(search);
    const category = asked.get("in") ?? "";
    return {
        category: isCategory(category) ? category : "DOCUMENT",
        classId: asked.get("class") ?? "",
        text: asked.get("q") ?? "",
        where: asked.getAll("where").flatMap(whereOf).slice(0, CRITERIA_MOST),
        sort: asked.get("sort") ?? NEWEST,
    };
}

/** The one text of a search, "" or with its question mark. */
export function addressOf(query: Query): string {
    const out = new URLSearchParams();
    if (query.text)
        out.set("q", query.text);
    if (query.category !== "DOCUMENT")
        out.set("in", query.category);
    if (query.classId)
        out.set("class", query.classId);
    query.where.forEach((one) => out.append("where", whereText(one)));
    if (query.sort !== NEWEST)
        out.set("sort", query.sort);
    const text = String(out).replaceAll("%3A", ":"); /* it is read by people too */
    return text && `?${text}`;
}

// ---- changing one ----

/** What fits one class fits no other. */
export const withClass = (query: Query, classId: string): Query => ({ ...query, classId, where: [], sort: NEWEST });
export const withCategory = (query: Query, category: string): Query => ({ ...withClass(query, ""), category });

export const isChosen = (query: Query, field: string, value: string) =>
    query.where.some((one) => one.field === field && one.operator === "is" && one.values.includes(value));

/** A value of a facet, on or off; several of one field are alternatives. */
export function toggled(query: Query, field: string, value: string): Query {
    const now = query.where.find((one) => one.field === field && one.operator === "is");
    const others = query.where.filter((one) => one !== now);
    const values = now?.values.includes(value) ? now.values.filter((v) => v !== value) : [...now?.values ?? [], value];
    return { ...query, where: values.length > 0 ? [...others, { field, operator: "is", values }] : others };
}
