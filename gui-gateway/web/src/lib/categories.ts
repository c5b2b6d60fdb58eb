// The four categories of components: the core's word, its paths, and what people call them.
export const CATEGORIES = [
    { word: "DOCUMENT", path: "documents", facts: "documents", classes: "documentclass", one: "Document", many: "Documents" },
    { word: "FOLDER", path: "folders", facts: "folders", classes: "folderclass", one: "Folder", many: "Folders" },
    { word: "TASK", path: "tasks", facts: "tasks", classes: "taskclass", one: "Task", many: "Tasks" },
    { word: "VIRTUAL_FOLDER", path: "virtualFolder", facts: "virtualFolders", classes: "virtualfolderclass", one: "Virtual folder", many: "Virtual folders" },
] as const;

export type Category = (typeof CATEGORIES)[number];

export const isCategory = (word: string) => CATEGORIES.some((category) => category.word === word);

/** An unknown word is taken for documents. */
export const categoryOf = (word: string): Category => CATEGORIES.find((category) => category.word === word) ?? CATEGORIES[0];
