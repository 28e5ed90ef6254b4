import Columns

/// Imports schemas, arrays and streams through the C Data Interface, without copying values whose layout is that of `Column`.
///
/// What is imported has been moved: the source's `release` is set to nil at once, and called exactly once, for arrays when the last
/// column that points into them is gone. The interface says nothing about the lengths of buffers: the producer is trusted to have
/// allocated what its counts and offsets claim; everything else is checked as in files.
package enum CDataImport {
  /// Moves a schema out of `source`; releases it.
  /// - Throws: `ArrowError` if the root is no structure, or a type cannot be read.
  package static func schema(_ source: UnsafeMutablePointer<CArrowSchema>) throws(ArrowError) -> Schema {
    Schema(try table(source).children.map(\.field))
  }

  /// The same as the fields of the wire; releases the source.
  static func table(_ source: UnsafeMutablePointer<CArrowSchema>) throws(ArrowError) -> ArrowField {
    let field = try field(source)
    guard field.layout == .structure, field.dictionary == nil else {
      throw .unsupported("Cannot import a schema: expected a structure of columns, found \(field.type)")
    }
    return field
  }

  /// Moves the schema of one column out of `source`; releases it.
  static func field(_ source: UnsafeMutablePointer<CArrowSchema>) throws(ArrowError) -> ArrowField {
    guard source.pointee.release != nil else { throw .malformed("Cannot import a schema: it has been released") }
    defer { source.pointee.release?(source) }
    do throws(ArrowError) { return try read(source, depth: 0) } catch { throw error.within("Cannot import a schema") }
  }

  // SAFETY: the producer vouches for pointers and counts until it is released.
  private static func read(_ pointer: UnsafeMutablePointer<CArrowSchema>, depth: Int) throws(ArrowError) -> ArrowField {
    guard depth < 64 else { throw .unsupported("fields are nested deeper than 64 levels") }
    let schema = pointer.pointee
    let name = schema.name.map { String(cString: $0) } ?? ""
    let isNullable = schema.flags & CArrowSchema.nullableFlag != 0
    do throws(ArrowError) {
      guard let text = schema.format else { throw .malformed("there is no format") }
      guard schema.childCount >= 0 else { throw .malformed("\(schema.childCount) children") }
      var children: [ArrowField] = []
      for index in 0..<Int(schema.childCount) {
        guard let child = schema.children?[index] else { throw .malformed("child \(index) is missing") }
        children.append(try read(child, depth: depth + 1))
      }
      let format = String(cString: text)
      guard let values = schema.dictionary else {
        let (layout, type) = try FormatString.layout(format, children)
        return ArrowField(name: name, isNullable: isNullable || layout == .null, layout: layout, type: type, children: children)
      }
      let (_, index) = try FormatString.layout(format, [])
      guard index.isInteger, let byteWidth = index.byteWidth else { throw .malformed("dictionary indices of type \(index)") }
      let isSigned = [.int8, .int16, .int32, .int64].contains(index)
      var field = try read(values, depth: depth + 1)
      field = ArrowField(
        name: name, isNullable: isNullable, layout: field.layout, type: field.type, children: field.children,
        dictionary: DictionaryEncoding(id: 0, byteWidth: byteWidth, isSigned: isSigned))
      return field
    } catch {
      throw error.within("field \(name)")
    }
  }
}

/// The format strings of the C Data Interface.
enum FormatString {
  static func layout(_ format: String, _ children: [ArrowField]) throws(ArrowError) -> (ArrowLayout, DataType) {
    switch format {
    case "n": return (.null, .int32)
    case "b": return (.bool, .bool)
    case "c": return (.fixed(byteWidth: 1), .int8)
    case "C": return (.fixed(byteWidth: 1), .uint8)
    case "s": return (.fixed(byteWidth: 2), .int16)
    case "S": return (.fixed(byteWidth: 2), .uint16)
    case "i": return (.fixed(byteWidth: 4), .int32)
    case "I": return (.fixed(byteWidth: 4), .uint32)
    case "l": return (.fixed(byteWidth: 8), .int64)
    case "L": return (.fixed(byteWidth: 8), .uint64)
    case "e": return (.fixed(byteWidth: 2), .float16)
    case "f": return (.fixed(byteWidth: 4), .float32)
    case "g": return (.fixed(byteWidth: 8), .float64)
    case "z": return (.bytes(isText: false, isLarge: false), .binary)
    case "Z": return (.bytes(isText: false, isLarge: true), .binary)
    case "vz": return (.view(isText: false), .binary)
    case "u": return (.bytes(isText: true, isLarge: false), .string)
    case "U": return (.bytes(isText: true, isLarge: true), .string)
    case "vu": return (.view(isText: true), .string)
    case "tdD": return (.fixed(byteWidth: 4), .date)
    case "tdm": return (.dateMillis, .date)
    case "+l": return (.list(isLarge: false), try ArrowField.list(children))
    case "+L": return (.list(isLarge: true), try ArrowField.list(children))
    case "+vl": return (.listView(isLarge: false), try ArrowField.list(children))
    case "+vL": return (.listView(isLarge: true), try ArrowField.list(children))
    case "+s": return (.structure, .structure(children.map(\.field)))
    case "+m": return (.map, try ArrowField.map(children))
    case "+r": return (.runEndEncoded, try ArrowField.runEndEncoded(children))
    default: return try parameterized(format, children)
    }
  }

  private static func parameterized(_ format: String, _ children: [ArrowField]) throws(ArrowError) -> (ArrowLayout, DataType) {
    if format.hasPrefix("tt"), let unit = unit(format.dropFirst(2)), let byteWidth = DataType.time(unit).byteWidth {
      return (.fixed(byteWidth: byteWidth), .time(unit))
    }
    if format.hasPrefix("tD"), let unit = unit(format.dropFirst(2)) { return (.fixed(byteWidth: 8), .duration(unit)) }
    if let colon = format.firstIndex(of: ":") {
      let (head, tail) = (format[..<colon], format[format.index(after: colon)...])
      if head.hasPrefix("ts"), let unit = unit(head.dropFirst(2)) {
        return (.fixed(byteWidth: 8), .timestamp(unit, zone: tail.isEmpty ? nil : String(tail)))
      }
      let numbers = tail.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      switch (head, numbers.count) {
      case ("w", 1): if let width = numbers[0], width <= Int(Int32.max) { return try ArrowField.fixedBinary(byteWidth: width) }
      case ("+w", 1): if let count = numbers[0], count <= Int(Int32.max) { return try ArrowField.fixedList(elementCount: count, children) }
      case ("d", 2...3):
        if let precision = numbers[0], let scale = numbers[1], let bitWidth = numbers.count == 3 ? numbers[2] : 128 {
          return try ArrowField.decimal(precision: precision, scale: scale, bitWidth: bitWidth)
        }
      default: break
      }
    }
    throw .unsupported("the format \(format) cannot be read")
  }

  private static func unit(_ letter: Substring) -> TimeUnit? {
    switch letter {
    case "s": .second
    case "m": .millisecond
    case "u": .microsecond
    case "n": .nanosecond
    default: nil
    }
  }
}
