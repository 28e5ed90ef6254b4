import History
import Objects
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

package typealias StoreError = Objects.StoreError
package typealias Remote = History.Remote
package typealias RemoteState = History.RemoteState
package typealias RefUpdate = History.RefUpdate
package typealias RefUpdateOutcome = History.RefUpdateOutcome
package typealias RefStep = History.RefStep
package typealias RefDescription = History.Ref
package typealias ObjectKey = History.ObjectKey
package typealias ObjectKind = History.ObjectKind
package typealias ObjectHash = History.Hash256
package typealias ObjectPack = History.Pack
package typealias FileRecord = History.FileRecord
package typealias Transfer = History.Transfer
package typealias TransferObject = History.TransferObject
package typealias TransferReport = History.TransferReport
