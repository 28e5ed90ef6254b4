import Columns

/// Every entity at every time of a grid, as label rows in the order of (entity, time). They are made when they are asked for.
package struct LabelGrid: Sendable {
  /// The entity columns, then the time.
  package let schema: Schema
  package let entityCount: Int
  package let timeCount: Int
  package let rowCount: Int
  private let entities: Batch
  private let firstMicros: Int64
  private let stepMicros: Int64

  /// - Parameters:
  ///   - entities: distinct keys, in the order wanted.
  ///   - times: from the lower bound in steps; the upper bound is one of them if a step falls on it.
  /// - Throws: `labels` for more rows than can be counted, and for a key column named like the time.
  /// - Precondition: stepMicros > 0
  package init(entities: Batch, timeColumn: String, times: ClosedRange<Int64>, stepMicros: Int64) throws(FeatureError) {
    precondition(stepMicros > 0, "Steps lead from one time to the next")
    guard entities.schema.index(of: timeColumn) == nil else {
      throw FeatureError(.labels, "Labels would have two columns named \(timeColumn): an entity key and the time")
    }
    let span = Int128(times.upperBound) - Int128(times.lowerBound)
    let total = (span / Int128(stepMicros) + 1) * Int128(entities.rowCount)
    guard total <= Int128(Int64.max) else {
      throw FeatureError(.labels, "Cannot make labels of \(entities.rowCount) entities: expected at most 2^63 - 1 rows, found \(total)")
    }
    schema = Schema(entities.schema.fields + [Field(timeColumn, .timestampMicros, isNullable: false)])
    entityCount = entities.rowCount
    timeCount = Int(span / Int128(stepMicros) + 1)
    rowCount = Int(total)
    self.entities = entities
    firstMicros = times.lowerBound
    self.stepMicros = stepMicros
  }

  /// - Precondition: the range is one of the grid's rows, and of at most 2^31 - 1.
  /// - Complexity: O(rows)
  package func rows(_ range: Range<Int>) -> Batch {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount, "The grid has \(rowCount) rows")
    var indices: [Int32] = []
    indices.reserveCapacity(range.count)
    var times = GrowableBuffer(byteCapacity: range.count * 8)
    var (entity, step) = range.isEmpty ? (0, 0) : range.lowerBound.quotientAndRemainder(dividingBy: timeCount)
    for _ in range {
      indices.append(Int32(entity))
      times.append(firstMicros + Int64(step) * stepMicros)
      step += 1
      if step == timeCount { (entity, step) = (entity + 1, 0) }
    }
    let time = Column(type: .timestampMicros, count: range.count, data: times.finish())
    return Batch(schema: schema, columns: entities.columns.map { $0.take(indices) } + [time], rowCount: range.count)
  }
}

extension CompiledService {
  /// A label column that names an entity.
  package struct EntityColumn: Hashable, Sendable {
    package let name: String
    /// The key of the entity that it holds.
    package let key: String
    package let type: DataType
  }

  /// Each once, in the order in which the service's views need them.
  package var entityColumns: [EntityColumn] {
    var result: [EntityColumn] = []
    for use in views {
      for (name, key) in zip(use.labelColumns, use.view.entity.keys) where !result.contains(where: { $0.name == name }) {
        result.append(EntityColumn(name: name, key: key.name, type: key.type))
      }
    }
    return result
  }
}
