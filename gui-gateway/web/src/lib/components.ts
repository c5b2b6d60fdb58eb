// Components and the model of their scope: REST, through the gateway's proxy. The shapes are the core's; what the page does not
// know of an object it sends back as it came.
import { ApiError, call, persist } from "./api";

export interface Name { language: string; value: string }
export interface Tag { name: string; value: string[]; readOnly?: boolean }
export interface FileRef { id: string; name?: string; Name?: string; FormatCode?: string; size?: number }

export interface Component {
    id: string;
    name: string;
    category: string;
    data: { classId: string; ACL?: string; owner?: string; creationDate?: string; lastUpdateDate?: string; version?: number };
    tags: Tag[];
    files?: FileRef[];
    [other: string]: unknown;
}

export interface TagReference {
    tagName: string;
    mandatory?: boolean;
    multivalued?: boolean;
    readonly?: boolean;
    technical?: boolean;
    order?: number;
    descriptions?: Name[];
    defaultValue?: string | string[] | null;
}

export interface ComponentClass {
    id: string;
    category: string;
    active?: boolean;
    technical?: boolean;
    collaborative?: boolean;
    displayNames?: Name[];
    descriptions?: Name[];
    tagCategories?: string[];
    tagReferences?: TagReference[];
}

export interface TagClass {
    id: string;
    type: string;
    displayNames?: Name[];
    allowedValues?: { symbolicName: string; displayNames?: Name[] }[];
}

export interface TagCategory { id: string; displayNames?: Name[]; tags?: string[]; visible?: boolean }

export interface Model {
    classes: ComponentClass[]; /* active ones, in the order of their names */
    tags: Map<string, TagClass>;
    groups: Map<string, TagCategory>;
}

export interface Found { id: string; name: string; classId: string; changed: string; owner: string }
export interface FoundPage { found: number; results: Found[]; after: string | null }

const ROOT = "/core/rest";
const PAGE = 25;

/** Categories: word of the core, path of the core, what people call it. */
const CATEGORIES = [
    { word: "DOCUMENT", path: "documents", classes: "documentclass" },
    { word: "FOLDER", path: "folders", classes: "folderclass" },
    { word: "TASK", path: "tasks", classes: "taskclass" },
] as const;

export const isCategory = (word: string) => CATEGORIES.some((category) => category.word === word);
const pathOf = (word: string) => CATEGORIES.find((category) => category.word === word)?.path ?? "documents";

const language = navigator.language.slice(0, 2).toUpperCase();

/** In the reader's language, or in any. */
export function called(names: Name[] | undefined, otherwise: string): string {
    return names?.find((name) => name.language.toUpperCase() === language)?.value
        ?? names?.find((name) => name.language.toUpperCase() === "EN")?.value
        ?? names?.[0]?.value ?? otherwise;
}

export const nameOfClass = (model: Model, id: string) => called(model.classes.find((c) => c.id === id)?.displayNames, id);

async function readModel(): Promise<Model> {
    const [tags, groups, ...classes] = await Promise.all([
        persist<TagClass[]>("GET", `${ROOT}/tagclass`),
        persist<TagCategory[]>("GET", `${ROOT}/tagcategory`),
        ...CATEGORIES.map((category) => persist<ComponentClass[]>("GET", `${ROOT}/${category.classes}`)),
    ]);
    return {
        classes: classes.flat().filter((c) => c.active !== false && !c.technical)
            .sort((a, b) => called(a.displayNames, a.id).localeCompare(called(b.displayNames, b.id))),
        tags: new Map(tags.map((tag) => [tag.id, tag])),
        groups: new Map(groups.map((group) => [group.id, group])),
    };
}

let model: Promise<Model> | null = null;

/** Asked for once in a while; a class that is not known yet asks again. */
export function getModel(fresh = false): Promise<Model> {
    if (!model || fresh)
        model = readModel().catch((error: unknown) => {
            model = null;
            throw error;
        });
    return model;
}

/** There is no scope yet, or nobody has given it classes. */
export const hasNoModel = (error: unknown) => error instanceof ApiError && error.status === 404;

// ---- searching ----

interface Field { name: string; value: string }

function foundOf(row: { id: string; fields?: Field[] }): Found {
    const field = (name: string) => row.fields?.find((f) => f.name.toLowerCase() === name)?.value ?? "";
    return { id: row.id, name: field("name"), classId: field("classid"), changed: field("lastupdatedate"), owner: field("owner") };
}

const criterion = (name: string, operator: string, value: string) => ({ name, operator, type: "STRING", values: [value] });

/** TEXT: words of the name, the tags and the contents. */
export async function search(category: string, classId: string, text: string, after: string | null, signal: AbortSignal): Promise<FoundPage> {
    const criteria = [
        ...(classId ? [criterion("classid", "EQUALS_TO", classId)] : []),
        ...(text ? [criterion("Content", "CONTAINS", text)] : []),
    ];
    const page = await persist<{ found: number; results: { id: string; fields?: Field[] }[]; after?: string | null }>(
        "POST", `${ROOT}/${pathOf(category)}/search`,
        {
            selectClause: { fields: ["name", "classid", "lastUpdateDate", "owner"] },
            filterClauses: criteria.length > 0 ? [{ criteria }] : [],
            orderClauses: [{ name: "lastUpdateDate", type: "TIMESTAMP", ascending: false }],
            max: PAGE,
            ...(after ? { after } : {}),
        }, { signal });
    return { found: page.found, results: page.results.map(foundOf), after: page.after ?? null };
}

// ---- one component ----

const one = (category: string, id: string) => `${ROOT}/${pathOf(category)}/${encodeURIComponent(id)}`;

export const components = {
    async get(category: string, id: string, signal?: AbortSignal): Promise<Component> {
        return (await persist<Component[]>("GET", one(category, id), undefined, { signal }))[0]!;
    },

    /** The id makes a repeated request one component. */
    async create(category: string, component: Partial<Component>): Promise<Component> {
        const id = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
        return (await call<Component[]>("POST", `${ROOT}/${pathOf(category)}`, [{ ...component, id, category }]))[0]!;
    },

    /** All of it is sent; the version it was read with must be the one that is kept. */
    async update(component: Component): Promise<Component> {
        return (await call<Component[]>("POST", one(component.category, component.id), [component]))[0]!;
    },

    remove: (category: string, id: string) => call<void>("DELETE", one(category, id)),
};

/** Where in a body the core found something wrong: JSON pointer -> what. */
export function faultsOf(error: unknown): Map<string, string> {
    const details = error instanceof ApiError ? error.details : null;
    const faults = new Map<string, string>();
    if (Array.isArray(details))
        for (const row of details as { path?: unknown; message?: unknown }[])
            if (typeof row.path === "string" && typeof row.message === "string")
                faults.set(row.path, row.message);
    return faults;
}
