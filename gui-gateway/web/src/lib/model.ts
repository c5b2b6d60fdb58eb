// The model of the scope one works in: classes, tags, and what one may do with new components of each class.
import { useEffect, useState } from "preact/hooks";
import { ApiError, persist } from "./api";
import { CATEGORIES } from "./categories";
import { type Rights, ROOT } from "./components";
import { called, type Name } from "./names";
import { session } from "./session";

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

export interface Answer { id: string; displayNames?: Name[]; confirmationMessages?: Name[]; reasons?: TagReference[] }

/** A rule of what lies in a folder (`id`: a class), or a slot of a task (`id`: its own, `classId`: of what it takes). */
export interface ChildRule {
    id: string;
    category?: string;
    classId?: string | null;
    displayNames?: Name[];
    multivalued?: boolean;
    readonly?: boolean;
    technical?: boolean;
    required?: string | boolean;
    order?: number;
}

export interface ComponentClass {
    id: string;
    category: string;
    active?: boolean;
    technical?: boolean;
    collaborative?: boolean;
    versioningMode?: "NONE" | "MANUAL" | "AUTO" | null;
    displayNames?: Name[];
    descriptions?: Name[];
    tagCategories?: string[];
    tagReferences?: TagReference[];
    children?: ChildRule[];
    answers?: Answer[];
}

export interface TagClass {
    id: string;
    type: string;
    searchable?: boolean;
    displayNames?: Name[];
    allowedValues?: { symbolicName: string; displayNames?: Name[]; conditions?: string[] }[];
}

export interface TagCategory { id: string; displayNames?: Name[]; tags?: string[]; visible?: boolean }

export interface Model {
    classes: ComponentClass[]; /* active ones, in the order of their names */
    tags: Map<string, TagClass>;
    groups: Map<string, TagCategory>;
    mayCreate: (ofClass: ComponentClass) => boolean;
}

interface ClassRights { category: string; classId: string; permissions: string[] }

const FRESH_MS = 60_000;

export const findClass = (model: Model, category: string, id: string) =>
    model.classes.find((c) => c.id === id && c.category === category);
export const nameOfClass = (model: Model, category: string, id: string) => called(findClass(model, category, id)?.displayNames, id);
export const nameOfTag = (model: Model, name: string) => called(model.tags.get(name)?.displayNames, name);

async function readModel(): Promise<Model> {
    const [tags, groups, rights, ...classes] = await Promise.all([
        persist<TagClass[]>("GET", `${ROOT}/tagclass`),
        persist<TagCategory[]>("GET", `${ROOT}/tagcategory`),
        persist<ClassRights[]>("GET", `${ROOT}/rights`),
        ...CATEGORIES.map((category) => persist<ComponentClass[]>("GET", `${ROOT}/${category.classes}`)),
    ]);
    const may = new Map<string, Rights>(rights.map((one) => [`${one.category}/${one.classId}`, new Set(one.permissions)]));
    return {
        classes: classes.flat().filter((c) => c.active !== false && !c.technical)
            .sort((a, b) => called(a.displayNames, a.id).localeCompare(called(b.displayNames, b.id))),
        tags: new Map(tags.map((tag) => [tag.id, tag])),
        groups: new Map(groups.map((group) => [group.id, group])),
        mayCreate: (c) => may.get(`${c.category}/${c.id}`)?.has("CREATE") ?? false,
    };
}

let kept: { model: Promise<Model>; at: number } | null = null;
session.watch(() => {
    kept = null; /* another person has other rights */
});

/** Read once in a while: pages that follow one another share it. */
export function getModel(): Promise<Model> {
    if (!kept || Date.now() - kept.at > FRESH_MS) {
        const mine = { model: readModel(), at: Date.now() };
        kept = mine;
        mine.model.catch(() => {
            if (kept === mine)
                kept = null;
        });
    }
    return kept.model;
}

/** There is no scope yet, or nobody has given it classes. */
function troubleOf(error: unknown): string {
    if (error instanceof ApiError && error.status === 404)
        return "This scope has no model yet. An administrator imports one.";
    return error instanceof ApiError ? error.message : "The model could not be read.";
}

export function useModel(): { model: Model | null; problem: string } {
    const [state, setState] = useState<{ model: Model | null; problem: string }>({ model: null, problem: "" });
    useEffect(() => {
        getModel().then((model) => setState({ model, problem: "" }), (error: unknown) => setState({ model: null, problem: troubleOf(error) }));
    }, []);
    return state;
}
