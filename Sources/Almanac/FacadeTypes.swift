import History
import Parquet
import Tables

// What the façade's calls take and give, under the façade's own names: rooms above import `Almanac` alone.

package typealias ChangeMode = Tables.ChangeMode
package typealias VersionDiff = Tables.RowDiff
package typealias VersionDiffPart = Tables.RowDiff.Part
package typealias VersionSchemaChange = Tables.RowDiff.SchemaChange
package typealias RefKind = History.RefKind
package typealias CommitName = History.CommitID
package typealias BisectStep = History.Bisection.Step
package typealias FileRowGroup = Parquet.FileDescription.RowGroup
package typealias FileColumnChunk = Parquet.FileDescription.ColumnChunk
