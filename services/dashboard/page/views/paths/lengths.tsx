import type { LengthBucket } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { count, exact, money, NOTHING, percent } from '../../format/number.ts';

/** From so many touches on, lengths are one row. */
const MANY = 8;

/** How many conversions had how many touches; those without any are told by the paths. */
export function Lengths({ buckets }: { buckets: readonly LengthBucket[] }) {
  const rows = Array.from({ length: MANY }, (_, i) => {
    const some = buckets.filter(({ touches }) => Math.min(touches, MANY) === i + 1);
    return {
      name: i + 1 === MANY ? `${MANY}+` : String(i + 1),
      conversions: some.reduce((sum, { conversions }) => sum + conversions, 0n),
      revenue: some.reduce((sum, { revenueMicros }) => sum + revenueMicros, 0n),
    };
  });
  const all = rows.reduce((sum, { conversions }) => sum + conversions, 0n);
  const most = Math.max(...rows.map(({ conversions }) => Number(conversions)));
  return (
    <table class="hb">
      <thead>
        <tr>
          <th scope="col">
            <span class="sr">touches</span>
          </th>
          <td class="barcol" />
          <th scope="col" class="num">
            conversions
          </th>
          <th scope="col" class="num">
            share
          </th>
          <th scope="col" class="num">
            avg value
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, conversions, revenue }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="barcol">
              <i>
                <b style={{ width: most === 0 ? 0 : `${(100 * Number(conversions)) / most}%` }} />
              </i>
            </td>
            <td class="num">{count(conversions)}</td>
            <td class="num soft">{percent(conversions, all)}</td>
            <td class="num" data-tip={`${exact(revenue, 2)} net revenue`}>
              {conversions === 0n ? NOTHING : money(revenue / conversions)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
