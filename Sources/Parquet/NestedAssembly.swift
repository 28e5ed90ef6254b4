import Columns

/// Builds nested columns from the levels of their leaves (record assembly of the Dremel paper, column-wise).
///
/// Source: parquet-format/README.md, "Nested Encoding"; Melnik et al., "Dremel", VLDB 2010.
struct NestedAssembly {
  /// By number of the leaf, starting with the first of the column.
  let leaves: [LeafRows]
  let firstLeaf: Int

  /// - Throws: `.malformed` when the leaves of a node disagree about its values.
  /// - Complexity: O(entries × depth)
  func column(_ node: ColumnNode) throws(ParquetError) -> Column {
    let leaf = leaves[node.leaves.lowerBound - firstLeaf]
    switch node.kind {
    case .leaf: return leaf.column
    case .list, .map: return try list(node, leaf)
    case .structure:
      let children = try columns(node.children)
      let (count, validity) = structure(node, leaf)
      for (child, column) in zip(node.children, children) where column.count != count {
        throw disagreement("\(node.field.name).\(child.field.name) has \(column.count) values, \(node.field.name) \(count)")
      }
      return Column(nested: node.field.type, count: count, validity: node.field.isNullable ? validity : nil, children: children)
    }
  }

  private func columns(_ nodes: [ColumnNode]) throws(ParquetError) -> [Column] {
    var columns: [Column] = []
    for node in nodes { columns.append(try column(node)) }
    return columns
  }

  private func disagreement(_ text: String) -> ParquetError { .malformed("its leaves disagree: \(text)") }

  private func structure(_ node: ColumnNode, _ leaf: LeafRows) -> (count: Int, validity: Bitmap?) {
    var validity = BitmapBuilder(capacity: leaf.entryCount)
    let (definition, repetition, slot) = (
      UInt8(node.levels.definition), UInt8(node.levels.repetition), UInt8(node.levels.slot)
    )
    leaf.forEachEntry { level, repeated in
      if repeated <= repetition && level >= slot { validity.append(level >= definition) }
    }
    let (count, setCount) = (validity.count, validity.setCount)
    return (count, setCount == count ? nil : validity.finish())
  }

  private func list(_ node: ColumnNode, _ leaf: LeafRows) throws(ParquetError) -> Column {
    let (definition, repetition, slot) = (
      UInt8(node.levels.definition), UInt8(node.levels.repetition), UInt8(node.levels.slot)
    )
    var validity = BitmapBuilder(capacity: leaf.rowCount)
    var offsets = GrowableBuffer(byteCapacity: (leaf.rowCount + 1) * 8)
    var elementCount: Int64 = 0
    var isTorn = false
    leaf.forEachEntry { level, repeated in
      if repeated <= repetition && level >= slot {
        offsets.append(elementCount)
        validity.append(level >= definition)
      }
      if repeated <= repetition + 1 && level > definition {
        // An element needs a list to be in.
        if validity.count == 0 { isTorn = true }
        elementCount += 1
      }
    }
    offsets.append(elementCount)
    let elements = try column(node.children[0])
    guard !isTorn, elements.count == Int(elementCount) else {
      throw disagreement("\(node.field.name) has \(elementCount) elements, \(elements.count) values were found for them")
    }
    if case .map = node.kind { try checkKeys(node.children[0].children[0]) }
    let (count, setCount) = (validity.count, validity.setCount)
    return Column(
      nested: node.field.type, count: count, validity: node.field.isNullable && setCount < count ? validity.finish() : nil,
      offsets: offsets.finish(), children: [elements])
  }

  /// Keys that a file declares optional must not be null.
  private func checkKeys(_ key: ColumnNode) throws(ParquetError) {
    guard key.levels.definition > key.levels.slot else { return }
    let (definition, slot) = (UInt8(key.levels.definition), UInt8(key.levels.slot))
    var hasNull = false
    leaves[key.leaves.lowerBound - firstLeaf].forEachEntry { level, _ in hasNull = hasNull || (level >= slot && level < definition) }
    if hasNull { throw .malformed("a map has a null key") }
  }
}

extension LeafRows {
  /// Visits the definition and repetition level of each entry.
  @inline(__always) fileprivate func forEachEntry(_ body: (UInt8, UInt8) -> Void) {
    definitions.withBytes { definitions in
      repetitions.withBytes { repetitions in
        let isRepeated = repetitions.count >= entryCount
        for index in 0..<entryCount { body(definitions[index], isRepeated ? repetitions[index] : 0) }
      }
    }
  }
}
