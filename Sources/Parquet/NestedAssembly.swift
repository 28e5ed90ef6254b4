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
      return Column(nested: node.field.type, count: count, validity: validity, children: children)
    }
  }

  private func columns(_ nodes: [ColumnNode]) throws(ParquetError) -> [Column] {
    var columns: [Column] = []
    for node in nodes { columns.append(try column(node)) }
    return columns
  }

  private func disagreement(_ text: String) -> ParquetError { .malformed("its leaves disagree: \(text)") }

  /// Bits that are written without branches: nulls and lengths cannot be predicted.
  private struct Bits {
    let buffer: Buffer
    private let bytes: UnsafeMutablePointer<UInt8>

    init(capacity: Int) {
      buffer = Buffer(byteCapacity: capacity / 8 + 1, zeroed: true)
      bytes = buffer.pointer.assumingMemoryBound(to: UInt8.self)
    }

    /// - Precondition: the place is at most the capacity.
    @inline(__always) func set(_ place: Int, if bit: Bool) { bytes[place &>> 3] |= (bit ? 1 : 0) &<< UInt8(place & 7) }

    func bitmap(count: Int) -> Bitmap { Bitmap(BufferSlice(buffer, byteCount: (count + 7) / 8), count: count) }
  }

  private func structure(_ node: ColumnNode, _ leaf: LeafRows) -> (count: Int, validity: Bitmap?) {
    let bits = Bits(capacity: leaf.entryCount)
    let (definition, repetition, slot) = (
      UInt8(node.levels.definition), UInt8(node.levels.repetition), UInt8(node.levels.slot)
    )
    var count = 0
    leaf.forEachEntry { level, repeated in
      let isRow = repeated <= repetition && level >= slot
      bits.set(count, if: isRow && level >= definition)
      count &+= isRow ? 1 : 0
    }
    return (count, node.field.isNullable ? bits.bitmap(count: count) : nil)
  }

  private func list(_ node: ColumnNode, _ leaf: LeafRows) throws(ParquetError) -> Column {
    let (definition, repetition, slot) = (
      UInt8(node.levels.definition), UInt8(node.levels.repetition), UInt8(node.levels.slot)
    )
    let bits = Bits(capacity: leaf.entryCount)
    let ends = Buffer(byteCapacity: (leaf.entryCount + 1) * 8)
    // SAFETY: there are at most as many lists as entries, for which there is room.
    let offsets = ends.pointer.assumingMemoryBound(to: Int64.self)
    var (count, elementCount) = (0, 0)
    var isTorn = false
    leaf.forEachEntry { level, repeated in
      let isList = repeated <= repetition && level >= slot
      let isElement = repeated <= repetition &+ 1 && level > definition
      offsets[count] = Int64(elementCount)
      bits.set(count, if: isList && level >= definition)
      count &+= isList ? 1 : 0
      elementCount &+= isElement ? 1 : 0
      // An element needs a list to be in.
      isTorn = isTorn || (isElement && count == 0)
    }
    offsets[count] = Int64(elementCount)
    let elements = try column(node.children[0])
    guard !isTorn, elements.count == elementCount else {
      throw disagreement("\(node.field.name) has \(elementCount) elements, \(elements.count) values were found for them")
    }
    if case .map = node.kind { try checkKeys(node.children[0].children[0]) }
    return Column(
      nested: node.field.type, count: count, validity: node.field.isNullable ? bits.bitmap(count: count) : nil,
      offsets: BufferSlice(ends, byteCount: (count + 1) * 8), children: [elements])
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
