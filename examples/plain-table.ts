import { getBorderCharacters, table, type ColumnUserConfig } from 'table'

export const WIDTH = 100

/** How text is marked on a terminal with colours; elsewhere as it is. */
export interface Marks {
  title: (text: string) => string
  good: (text: string) => string
  bad: (text: string) => string
}

/** Rows without lines between them. */
export function plainTable(rows: string[][], columns: ColumnUserConfig[]): string {
  const text = table(rows, {
    columns,
    columnDefault: { paddingLeft: 0, paddingRight: 1 },
    border: getBorderCharacters('void'),
    drawHorizontalLine: () => false,
  })
  return text.replace(/ +$/gm, '')
}
