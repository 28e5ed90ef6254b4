extension JSON {
  /// The value as text: members sorted by name, doubles always with a point or an exponent, NaN and infinities as strings.
  /// - Parameter pretty: one member or element a line, indented by two spaces; empty ones stay `{}` and `[]`.
  package func text(pretty: Bool = false) -> String {
    String(decoding: bytes(pretty: pretty), as: UTF8.self)
  }

  /// `text` as UTF-8.
  package func bytes(pretty: Bool = false) -> [UInt8] {
    var writer = JSONWriter()
    write(to: &writer, indent: pretty ? 0 : nil)
    return writer.bytes
  }

  /// Appends the value without white space.
  package func write(to writer: inout JSONWriter) { write(to: &writer, indent: nil) }

  private func write(to writer: inout JSONWriter, indent: Int?) {
    switch self {
    case .null: writer.appendNull()
    case .bool(let value): writer.appendBool(value)
    case .int(let value): writer.appendInt(value)
    case .uint(let value): writer.appendUInt(value)
    case .double(let value): writer.appendDouble(value)
    case .string(let value): writer.appendString(value)
    case .array(let values):
      writer.raw(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { writer.raw(UInt8(ascii: ",")) }
        JSON.breakLine(&writer, indent.map { $0 + 1 })
        value.write(to: &writer, indent: indent.map { $0 + 1 })
      }
      if !values.isEmpty { JSON.breakLine(&writer, indent) }
      writer.raw(UInt8(ascii: "]"))
    case .object(let members):
      writer.raw(UInt8(ascii: "{"))
      for (index, name) in JSON.sortedNames(members).enumerated() {
        if index > 0 { writer.raw(UInt8(ascii: ",")) }
        JSON.breakLine(&writer, indent.map { $0 + 1 })
        writer.appendString(name)
        writer.raw(UInt8(ascii: ":"))
        if indent != nil { writer.raw(UInt8(ascii: " ")) }
        members[name]!.write(to: &writer, indent: indent.map { $0 + 1 })
      }
      if !members.isEmpty { JSON.breakLine(&writer, indent) }
      writer.raw(UInt8(ascii: "}"))
    }
  }

  private static func breakLine(_ writer: inout JSONWriter, _ indent: Int?) {
    guard let indent else { return }
    writer.raw(0x0A)
    writer.raw(repeatElement(0x20, count: indent * 2))
  }

  /// The names in the order of their UTF-16 code units, as RFC 8785 §3.2.3 asks.
  static func sortedNames(_ members: [String: JSON]) -> [String] {
    members.keys.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
  }
}
