/** How dimensions are called where rows are by them. */
const TITLES: Readonly<Record<string, string>> = {
  campaign_id: 'Campaign',
  ad_id: 'Ad',
  source: 'Source',
  conversion_type: 'Type',
};

export function dimensionTitle(dimension: string): string {
  return TITLES[dimension] ?? dimension.replace(/^metadata\./, '');
}

/** What a row of a dimension is broken down by on request; undefined if by nothing. */
export function below(dimension: string): string | undefined {
  return dimension === 'campaign_id' ? 'ad_id' : undefined;
}
