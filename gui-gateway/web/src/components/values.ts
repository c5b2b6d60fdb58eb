// Values of tags as people read them.
import { called } from "../lib/names";
import type { Model, TagClass } from "../lib/model";
import { exactDay } from "../lib/time";

const WORDS: Record<string, string> = { true: "Yes", false: "No" };

/** One value. */
export function valueText(tag: TagClass | undefined, value: string): string {
    const allowed = tag?.allowedValues?.find((one) => one.symbolicName === value);
    if (allowed)
        return called(allowed.displayNames, value);
    if (tag?.type === "BOOLEAN")
        return WORDS[value] ?? value;
    return tag?.type === "DATE" ? exactDay(value) : value;
}

/** What the core joins with § . */
export const joinedText = (model: Model, name: string, value: string) =>
    value.split("§").map((one) => valueText(model.tags.get(name), one)).join(", ");
