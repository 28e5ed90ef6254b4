import Columns

/// Exports schemas and batches through the C Data Interface, without copying values.
///
/// Each structure that is filled belongs to the consumer, who calls its `release` once; until then it keeps our buffers alive.
/// A consumer may move children out, as the specification allows.
package enum CDataExport {
  /// Fills `target` with the schema as one structure without nulls, the form in which tables are exchanged.
  package static func export(_ schema: Schema, to target: UnsafeMutablePointer<CArrowSchema>) {
    export(Field("", .structure(schema.fields), isNullable: false), to: target)
  }

  /// Fills `target` with the schema of one column.
  package static func export(_ field: Field, to target: UnsafeMutablePointer<CArrowSchema>) {
    var fields = field.type.childFields
    if case .map = field.type { fields[0].name = "entries" }
    let children = fields.isEmpty ? nil : UnsafeMutablePointer<UnsafeMutablePointer<CArrowSchema>?>.allocate(capacity: fields.count)
    for (index, child) in fields.enumerated() {
      let place = UnsafeMutablePointer<CArrowSchema>.allocate(capacity: 1)
      place.initialize(to: CArrowSchema())
      export(child, to: place)
      children?[index] = place
    }
    var schema = CArrowSchema()
    schema.format = UnsafePointer(duplicate(format(of: field.type)))
    schema.name = UnsafePointer(duplicate(field.name))
    schema.flags = field.isNullable ? CArrowSchema.nullableFlag : 0
    schema.childCount = Int64(fields.count)
    schema.children = children
    schema.release = { CDataExport.releaseSchema($0) }
    target.initialize(to: schema)
  }

  /// A C string of our own; bytes behind a zero in a name are lost, as C has it.
  private static func duplicate(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = Array(text.utf8CString)
    let place = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    place.initialize(from: bytes, count: bytes.count)
    return place
  }

  // SAFETY: called once by the consumer, with the structure that `export` filled; whatever the consumer moved out has a nil release.
  private static func releaseSchema(_ pointer: UnsafeMutableRawPointer?) {
    guard let schema = pointer?.assumingMemoryBound(to: CArrowSchema.self), schema.pointee.release != nil else { return }
    for index in 0..<Int(schema.pointee.childCount) {
      guard let child = schema.pointee.children?[index] else { continue }
      child.pointee.release?(child)
      child.deallocate()
    }
    schema.pointee.children?.deallocate()
    schema.pointee.format?.deallocate()
    schema.pointee.name?.deallocate()
    schema.pointee.release = nil
  }

  /// The format string of a type.
  static func format(of type: DataType) -> String {
    switch type {
    case .bool: "b"
    case .int8: "c"
    case .uint8: "C"
    case .int16: "s"
    case .uint16: "S"
    case .int32: "i"
    case .uint32: "I"
    case .int64: "l"
    case .uint64: "L"
    case .float16: "e"
    case .float32: "f"
    case .float64: "g"
    case .decimal(let precision, let scale): "d:\(precision),\(scale)"
    case .string: "U"
    case .binary: "Z"
    case .fixedBinary(let byteWidth): "w:\(byteWidth)"
    case .date: "tdD"
    case .time(let unit): "tt\(letter(unit))"
    case .timestamp(let unit, let zone): "ts\(letter(unit)):\(zone ?? "")"
    case .duration(let unit): "tD\(letter(unit))"
    case .list: "+L"
    case .map: "+m"
    case .structure: "+s"
    }
  }

  private static func letter(_ unit: TimeUnit) -> String {
    switch unit {
    case .second: "s"
    case .millisecond: "m"
    case .microsecond: "u"
    case .nanosecond: "n"
    }
  }
}
