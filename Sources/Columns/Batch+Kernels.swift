extension Batch {
  /// The rows of these numbers, in this order; -1 gives a row of nulls.
  package func take(_ indices: [Int32]) -> Batch {
    indices.withUnsafeBufferPointer { buffer in
      let checked = CheckedIndices(buffer, rowCount: rowCount)
      return Batch(schema: schema, columns: columns.map { $0.take(checked) }, rowCount: indices.count)
    }
  }

  /// The rows where the mask is set, in order.
  package func filter(_ mask: Bitmap) -> Batch {
    precondition(mask.count == rowCount, "The mask has \(mask.count) bits for \(rowCount) rows")
    let indices = mask.setIndices
    return indices.count == rowCount ? self : take(indices)
  }

  /// All rows of all batches, in order, under the first one's schema.
  /// - Precondition: at least one batch; the columns agree in number and types.
  package static func concatenate(_ batches: [Batch]) -> Batch {
    guard let first = batches.first else { preconditionFailure("There is nothing to concatenate") }
    if batches.count == 1 { return first }
    precondition(batches.allSatisfy { $0.columns.count == first.columns.count }, "The batches differ in their number of columns")
    let columns = first.columns.indices.map { index in Column.concatenate(batches.map { $0.columns[index] }) }
    return Batch(schema: first.schema, columns: columns, rowCount: batches.reduce(0) { $0 + $1.rowCount })
  }

  /// The bytes of the rows' values, without what lies around a slice. - Complexity: O(columns)
  package var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }

  package func canonicalized() -> Batch {
    Batch(schema: schema, columns: columns.map { $0.canonicalized() }, rowCount: rowCount)
  }
}
