import Columns

/// A node of the schema as columns are built: a leaf, or a nested type over leaves.
struct ColumnNode: Sendable {
  enum Kind: Sendable {
    /// The leaf `leaves.lowerBound`.
    case leaf
    /// One child: the elements.
    case list
    /// One child: the structure of key and value.
    case map
    case structure
  }

  let kind: Kind
  let field: Field
  let levels: NodeLevels
  /// The leaf columns beneath, which stand side by side in the file.
  let leaves: Range<Int>
  var children: [ColumnNode] = []
  var isFlat: Bool { if case .leaf = kind { levels.repetition == 0 && levels.slot == 0 } else { false } }
}

/// Builds the columns of a file from the depth-first list of its schema.
///
/// Lists and maps follow the backward-compatibility rules of parquet-format/LogicalTypes.md, "Nested Types".
struct ColumnTree {
  private(set) var columns: [ColumnNode] = []
  private(set) var leaves: [ColumnShape] = []

  /// What Arrow's schema says about the top-level column that is being built.
  private var top: ArrowHint?

  /// Real schemas nest less than twenty deep. A level adds two definition levels at most, which must fit a byte.
  static let depthMax = 120

  /// An element of the schema with what it contains.
  private struct Element {
    let element: SchemaElement
    let children: [Element]
    var isRepeated: Bool { element.repetition == .repeated }
    var isList: Bool { element.logicalType == .list || (element.logicalType == nil && element.convertedType == .list) }
    var isMap: Bool {
      element.logicalType == .map
        || (element.logicalType == nil && (element.convertedType == .map || element.convertedType == .mapKeyValue))
    }
  }

  /// - Throws: `.malformed` when the elements are no tree, or one nests too deep.
  /// - Complexity: O(elements)
  init(_ elements: [SchemaElement], hints: TypeHints) throws(ParquetError) {
    var next = 0
    guard !elements.isEmpty else { throw .malformed("Cannot read the footer: it has no schema") }
    let root = try Self.element(elements, &next, depth: 0)
    guard next == elements.count else {
      throw .malformed(
        "Cannot read the footer: its schema claims \(root.children.count) columns, but describes \(elements.count - next) elements more")
    }
    columns.reserveCapacity(root.children.count)
    let hasHints = hints.arrow.count == root.children.count
    for (index, child) in root.children.enumerated() {
      top = hasHints && hints.arrow[index].name == child.element.name ? hints.arrow[index].hint : nil
      columns.append(try field(child, under: NodeLevels(), path: child.element.name, isTop: true, hints))
    }
  }

  private static func element(_ elements: [SchemaElement], _ next: inout Int, depth: Int) throws(ParquetError) -> Element {
    guard depth <= depthMax else { throw .unsupported("Cannot read the footer: its schema nests more than \(depthMax) deep") }
    guard next < elements.count else {
      throw .malformed("Cannot read the footer: its schema ends after \(elements.count) elements in the middle of a group")
    }
    let element = elements[next]
    next += 1
    let count = Int(element.childCount)
    guard count >= 0, count <= elements.count - next else {
      throw .malformed("Cannot read the footer: \(element.name) claims \(count) columns, but only \(elements.count - next) elements follow")
    }
    var children: [Element] = []
    children.reserveCapacity(count)
    for _ in 0..<count { children.append(try Self.element(elements, &next, depth: depth + 1)) }
    return Element(element: element, children: children)
  }

  /// A field with the repetition that it declares.
  private mutating func field(
    _ node: Element, under parent: NodeLevels, path: String, isTop: Bool = false, _ hints: TypeHints
  ) throws(ParquetError) -> ColumnNode {
    switch node.element.repetition {
    case .repeated?:
      // Unannotated: a required list of required elements.
      let child = try value(node, at: parent.element, isNullable: false, path: path, hints)
      return list(named: node.element, of: child, at: parent, isNullable: false)
    case .optional?:
      var levels = parent
      levels.definition += 1
      return try value(node, at: levels, isNullable: true, path: path, isTop: isTop, hints)
    default: return try value(node, at: parent, isNullable: false, path: path, isTop: isTop, hints)
    }
  }

  /// A node whose own repetition is part of `levels` already.
  private mutating func value(
    _ node: Element, at levels: NodeLevels, isNullable: Bool, path: String, isTop: Bool = false, _ hints: TypeHints
  ) throws(ParquetError) -> ColumnNode {
    let element = node.element
    if node.children.isEmpty {
      let shape = try ColumnShape(
        element, path: path, levels: levels, isNullable: isNullable, isFlat: isTop, hints: hints, arrow: isTop ? top : nil)
      leaves.append(shape)
      return ColumnNode(kind: .leaf, field: shape.field, levels: levels, leaves: leaves.count - 1..<leaves.count)
    }
    if let repeated = node.children.first, node.children.count == 1, repeated.isRepeated {
      let inner = path + "." + repeated.element.name
      if node.isMap, repeated.children.count == 1 || repeated.children.count == 2 {
        return try map(node, repeated, at: levels, isNullable: isNullable, path: inner, hints)
      }
      if node.isList {
        let child =
          Self.isElement(repeated, of: element.name)
          ? try value(repeated, at: levels.element, isNullable: false, path: inner, hints)
          : try field(repeated.children[0], under: levels.element, path: inner + "." + repeated.children[0].element.name, hints)
        return list(named: element, of: child, at: levels, isNullable: isNullable)
      }
    }
    let first = leaves.count
    var children: [ColumnNode] = []
    for child in node.children { children.append(try field(child, under: levels, path: path + "." + child.element.name, hints)) }
    return ColumnNode(
      kind: .structure, field: Field(element.name, .structure(children.map(\.field)), isNullable: isNullable, id: element.fieldID),
      levels: levels, leaves: first..<leaves.count, children: children)
  }

  /// Whether the repeated node of a list is the element itself, and not a group around it: rules 1 to 4.
  private static func isElement(_ repeated: Element, of name: String) -> Bool {
    guard repeated.children.count == 1 else { return true }
    return repeated.children[0].isRepeated || repeated.element.name == "array" || repeated.element.name == name + "_tuple"
  }

  private func list(named element: SchemaElement, of child: ColumnNode, at levels: NodeLevels, isNullable: Bool) -> ColumnNode {
    ColumnNode(
      kind: .list, field: Field(element.name, .list(child.field), isNullable: isNullable, id: element.fieldID), levels: levels,
      leaves: child.leaves, children: [child])
  }

  /// A map; without values a list of its keys.
  private mutating func map(
    _ node: Element, _ repeated: Element, at levels: NodeLevels, isNullable: Bool, path: String, _ hints: TypeHints
  ) throws(ParquetError) -> ColumnNode {
    let first = leaves.count
    var parts: [ColumnNode] = []
    for child in repeated.children {
      parts.append(try field(child, under: levels.element, path: path + "." + child.element.name, hints))
    }
    guard parts.count == 2 else { return list(named: node.element, of: parts[0], at: levels, isNullable: isNullable) }
    // Some writers declare keys optional; keys are never null all the same, which is checked as they are read.
    parts[0] = parts[0].withoutNulls()
    let entries = ColumnNode(
      kind: .structure, field: Field("key_value", .structure(parts.map(\.field)), isNullable: false), levels: levels.element,
      leaves: first..<leaves.count, children: parts)
    return ColumnNode(
      kind: .map,
      field: Field(node.element.name, .map(key: parts[0].field, value: parts[1].field), isNullable: isNullable, id: node.element.fieldID),
      levels: levels, leaves: first..<leaves.count, children: [entries])
  }
}

extension ColumnNode {
  fileprivate func withoutNulls() -> ColumnNode {
    var field = field
    field.isNullable = false
    return ColumnNode(kind: kind, field: field, levels: levels, leaves: leaves, children: children)
  }
}
