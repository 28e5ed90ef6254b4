import Columns

/// Reads values of any type, also nested ones, into builders.
struct JSONNestedReader {
  /// Whether string columns take the texts of other values.
  let anyScalar: Bool
  /// Whether the types were inferred without these values: one that they would narrow does not fit.
  var isGuessed = false

  /// Appends the scanner's next value, and goes behind it.
  /// - Throws: `TextError` where it is malformed or has not the builder's type.
  func append(_ scanner: inout JSONLineScanner, to builder: inout ColumnBuilder) throws(TextError) {
    guard builder.type.isNested else { return try appendScalar(&scanner, to: &builder) }
    let column = scanner.column
    guard let kind = try scanner.enter() else {
      let token = try scanner.value()
      guard token.kind == .null else { throw scanner.error(JSONValues.mismatch(token, builder.type), column: column) }
      builder.appendNull()
      return
    }
    switch (builder.type, kind) {
    case (.list(let element), .array): try appendElements(&scanner, to: &builder, element)
    case (.map(let key, let value), .array):
      try appendElements(&scanner, to: &builder, Field("", .structure([key, value]), isNullable: false))
    case (.structure(let fields), .object): try appendMembers(&scanner, to: &builder, fields)
    default:
      let found = kind == .array ? "an array" : "an object"
      throw scanner.error(.badCell, "expected \(builder.type), found \(found)", column: column)
    }
    scanner.leave()
    builder.appendNested()
  }

  private func appendScalar(_ scanner: inout JSONLineScanner, to builder: inout ColumnBuilder) throws(TextError) {
    let column = scanner.column
    let token = try scanner.value()
    if let problem = JSONValues.append(token, to: &builder, anyScalar: anyScalar) { throw scanner.error(problem, column: column) }
    if isGuessed && builder.type == .float64, JSONValues.isNarrowed(token) {
      throw scanner.error(JSONValues.mismatch(token, .float64), column: column)
    }
  }

  private func appendElements(_ scanner: inout JSONLineScanner, to builder: inout ColumnBuilder, _ element: Field) throws(TextError) {
    var isFirst = true
    while try scanner.nextElement(isFirst: &isFirst) {
      if case .map = builder.type {
        // An entry is an array of key and value, or an object with these members, whatever the fields are called.
        try appendEntry(&scanner, to: &builder.children[0], element)
      } else {
        try refuseNull(scanner, element)
        try append(&scanner, to: &builder.children[0])
      }
    }
  }

  private func appendEntry(_ scanner: inout JSONLineScanner, to builder: inout ColumnBuilder, _ entry: Field) throws(TextError) {
    let column = scanner.column
    guard let kind = try scanner.enter(), case .structure(let fields) = entry.type else {
      throw scanner.error(.badCell, "expected an array of a key and a value", column: column)
    }
    if kind == .array {
      var isFirst = true
      var count = 0
      while try scanner.nextElement(isFirst: &isFirst) {
        guard count < fields.count else { throw scanner.error(.badCell, "expected an array of a key and a value", column: column) }
        try refuseNull(scanner, fields[count])
        try append(&scanner, to: &builder.children[count])
        count += 1
      }
      guard count == fields.count, builder.children.allSatisfy({ $0.count == builder.count + 1 }) else {
        throw scanner.error(.badCell, "expected an array of a key and a value", column: column)
      }
      scanner.leave()
      builder.appendNested()
      return
    }
    let named = zip(["key", "value"], fields).map { Field($0, $1.type, isNullable: $1.isNullable) }
    try appendMembers(&scanner, to: &builder, named)
    scanner.leave()
    builder.appendNested()
  }

  private func appendMembers(_ scanner: inout JSONLineScanner, to builder: inout ColumnBuilder, _ fields: [Field]) throws(TextError) {
    let first = scanner.column
    let rowCount = builder.count
    var isFirst = true
    var expected = 0
    while let key = try scanner.nextKey(isFirst: &isFirst) {
      let column = scanner.column
      guard let name = JSONValues.plain(key).map({ String(decoding: $0, as: UTF8.self) }) else {
        throw scanner.error(.malformed, "a member's name is not valid text", column: column)
      }
      let isExpected = expected < fields.count && JSONNestedReader.isSame(fields[expected].name, name)
      guard let index = isExpected ? expected : fields.firstIndex(where: { JSONNestedReader.isSame($0.name, name) }) else {
        throw scanner.error(.badCell, "expected \(builder.type), found an object with the member \"\(name)\"", column: column)
      }
      expected = index + 1
      guard builder.children[index].count == rowCount else {
        throw scanner.error(.malformed, "the key \"\(name)\" stands twice in one object", column: column)
      }
      try refuseNull(scanner, fields[index])
      try append(&scanner, to: &builder.children[index])
    }
    for (index, field) in fields.enumerated() where builder.children[index].count == rowCount {
      guard field.isNullable else { throw scanner.error(.badCell, "the object has no member \"\(field.name)\"", column: first) }
      builder.children[index].appendNull()
    }
  }

  private func refuseNull(_ scanner: JSONLineScanner, _ field: Field) throws(TextError) {
    if !field.isNullable && scanner.isAtNull {
      throw scanner.error(.badCell, "expected \(field.type), found null", column: scanner.column)
    }
  }

  /// Strings that only look alike stay apart.
  private static func isSame(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }
}
