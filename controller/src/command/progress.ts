/** What is being waited for, in words; shown when it takes more than a moment. */
export type Progress = (doing: string) => void;
