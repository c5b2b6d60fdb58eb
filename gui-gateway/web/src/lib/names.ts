// Texts that a model has in several languages.
export interface Name { language: string; value: string }

const language = navigator.language.slice(0, 2).toUpperCase();

/** In the reader's language, or in any. */
export function called(names: Name[] | undefined, otherwise: string): string {
    return names?.find((name) => name.language.toUpperCase() === language)?.value
        ?? names?.find((name) => name.language.toUpperCase() === "EN")?.value
        ?? names?.[0]?.value ?? otherwise;
}
