extension JSON {
  /// The one form of a value for hashing, after RFC 8785 (JSON Canonicalization Scheme): no white space, members sorted by
  /// UTF-16 code units, doubles as ECMAScript writes them.
  ///
  /// It departs from the scheme in two points: 64-bit integers keep all their digits, and NaN and the infinities, which the
  /// scheme refuses, are the strings `NaN`, `Infinity` and `-Infinity`.
  package var canonicalBytes: [UInt8] {
    var writer = JSONWriter()
    writeCanonical(to: &writer)
    return writer.bytes
  }

  private func writeCanonical(to writer: inout JSONWriter) {
    switch self {
    case .double(let value):
      if value.isFinite { writer.raw(JSON.ecmaScriptText(value).utf8) } else { writer.appendDouble(value) }
    case .array(let values):
      writer.raw(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { writer.raw(UInt8(ascii: ",")) }
        value.writeCanonical(to: &writer)
      }
      writer.raw(UInt8(ascii: "]"))
    case .object(let members):
      writer.raw(UInt8(ascii: "{"))
      for (index, name) in JSON.sortedNames(members).enumerated() {
        if index > 0 { writer.raw(UInt8(ascii: ",")) }
        writer.appendString(name)
        writer.raw(UInt8(ascii: ":"))
        members[name]!.writeCanonical(to: &writer)
      }
      writer.raw(UInt8(ascii: "}"))
    default: write(to: &writer)
    }
  }

  /// ECMA-262, Number::toString for radix 10, of a finite double.
  static func ecmaScriptText(_ value: Double) -> String {
    if value == 0 { return "0" }
    // Swift's description has the same shortest digits, in another notation: d.ddde±xx or ddd.ddd.
    var digits: [UInt8] = []
    var pointPlace: Int?
    var exponent = 0
    let text = Array(value.magnitude.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: ".") {
        pointPlace = digits.count
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
    }
    // The value is 0.DIGITS × 10^place.
    var place = (pointPlace ?? digits.count) + exponent
    let leadingZeroCount = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leadingZeroCount)
    place -= leadingZeroCount
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let all = String(decoding: digits, as: UTF8.self)
    let sign = value < 0 ? "-" : ""
    let count = digits.count
    if count <= place && place <= 21 { return sign + all + String(repeating: "0", count: place - count) }
    if 0 < place && place <= 21 { return sign + all.prefix(place) + "." + all.dropFirst(place) }
    if -6 < place && place <= 0 { return sign + "0." + String(repeating: "0", count: -place) + all }
    let power = "e" + (place - 1 < 0 ? "-" : "+") + String((place - 1).magnitude)
    return sign + (count == 1 ? all : all.prefix(1) + "." + all.dropFirst(1)) + power
  }
}
