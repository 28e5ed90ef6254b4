import Columns
import JSON

/// What the texts of a column have looked like so far, and the narrowest type that keeps all of them.
struct ColumnEvidence {
  struct Kinds: OptionSet {
    let rawValue: UInt16
    static let integer = Kinds(rawValue: 1)
    /// A whole number, with a point or without, that no double equals.
    static let wideInteger = Kinds(rawValue: 2)
    /// An integer above `Int64.max` that fits `UInt64`.
    static let unsigned = Kinds(rawValue: 4)
    static let negative = Kinds(rawValue: 8)
    static let float = Kinds(rawValue: 16)
    static let bool = Kinds(rawValue: 32)
    static let date = Kinds(rawValue: 64)
    static let timestamp = Kinds(rawValue: 128)
    static let text = Kinds(rawValue: 256)
    /// A time between two microseconds.
    static let nanosecond = Kinds(rawValue: 512)
    /// A date or time that nanoseconds in 64 bits do not reach.
    static let farTime = Kinds(rawValue: 1024)
    /// A float of 2^53 or more, which more than one integer is rounded to.
    static let largeFloat = Kinds(rawValue: 2048)

    static let numbers: Kinds = [.integer, .wideInteger, .unsigned, .negative, .float, .largeFloat]
    static let times: Kinds = [.date, .timestamp, .nanosecond, .farTime]
  }

  var kinds: Kinds = []
  private var dates = DateCache()

  var isText: Bool { kinds.contains(.text) }

  /// The type of a column whose values name something: text also where floats are so large that they say no integer.
  var nameType: DataType { kinds.contains(.largeFloat) && kinds.isSubset(of: .numbers) ? .string : type }

  /// int64 widens to float64 only where every integer of the column is a double; all that does not fit together is text.
  var type: DataType {
    if kinds.isEmpty || isText { return .string }
    if kinds == .bool { return .bool }
    if kinds.isSubset(of: .times) {
      guard kinds.contains(.timestamp) else { return .date }
      guard kinds.contains(.nanosecond) else { return .timestampMicros }
      return kinds.contains(.farTime) ? .string : .timestamp(.nanosecond, zone: "UTC")
    }
    guard kinds.isSubset(of: .numbers) else { return .string }
    if kinds.contains(.float) { return kinds.isDisjoint(with: [.wideInteger, .unsigned]) ? .float64 : .string }
    if kinds.contains(.unsigned) { return kinds.contains(.negative) ? .string : .uint64 }
    return .int64
  }

  /// Takes a cell into account that is not empty.
  /// - Precondition: 16 bytes may be loaded from behind the cell's end.
  @inline(__always) mutating func note(cell: UnsafeRawBufferPointer) {
    // Most cells are short integers, decimals or instants of the usual form.
    if isPlainInteger(cell) {
      kinds.insert(.integer)
    } else if isPlainDecimal(cell) {
      kinds.insert(.float)
    } else if cell.count >= 19, let start = cell.baseAddress, let ticks = TextTimes.usualTicks(start, cell.count, .microsecond, &dates) {
      kinds.insert(.timestamp)
      if ticks.magnitude > Self.nearMicros { kinds.insert(.farTime) }
    } else {
      kinds.formUnion(ColumnEvidence.classify(cell))
    }
  }

  /// Whether the cell is at most fifteen digits, a point and digits, without zeros in front that carry meaning.
  @inline(__always) private func isPlainDecimal(_ cell: UnsafeRawBufferPointer) -> Bool {
    guard let start = cell.baseAddress, let plain = TextNumbers.Plain(start, cell.count), plain.fractionDigitCount > 0,
      cell.count &- plain.fractionDigitCount <= 16
    else { return false }
    let first = plain.isNegative ? 1 : 0
    if cell[first] == UInt8(ascii: "0") { return cell[first + 1] == UInt8(ascii: ".") }
    return cell[first] != UInt8(ascii: ".")
  }

  @inline(__always) private func isPlainInteger(_ cell: UnsafeRawBufferPointer) -> Bool {
    // Fifteen digits are below 2^53.
    guard cell.count <= 15, let base = cell.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    if base[0] == UInt8(ascii: "0") { return cell.count == 1 }
    for index in 0..<cell.count where base[index] &- UInt8(ascii: "0") > 9 { return false }
    return true
  }

  private static func classify(_ cell: UnsafeRawBufferPointer) -> Kinds {
    let first = cell[0]
    let isNegative = first == UInt8(ascii: "-")
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
      let digits = isNegative ? UnsafeRawBufferPointer(rebasing: cell.dropFirst()) : cell
      if !startsWithZero(digits) {
        if let kinds = integer(cell, isNegative) { return kinds }
        if isTime(cell) { return time(cell) }
        if let value = NumberText.parseDouble(cell) {
          return isWord(digits) ? nonFinite(cell) : isLongInteger(digits) ? .text : kinds(ofFloat: cell, value)
        }
      }
      return time(cell)
    case UInt8(ascii: "+"): return isWord(UnsafeRawBufferPointer(rebasing: cell.dropFirst())) ? nonFinite(cell) : time(cell)
    case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
      return NumberText.parseBool(cell) == nil ? .text : .bool
    case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "i"), UInt8(ascii: "I"): return nonFinite(cell)
    default: return .text
    }
  }

  /// The kinds of a number with point or exponent.
  static func kinds(ofFloat text: UnsafeRawBufferPointer, _ value: Double) -> Kinds {
    if value.magnitude < 0x1p53 { return .float }
    return WholeNumber.isRounded(text, to: value) ? [.float, .largeFloat, .wideInteger] : [.float, .largeFloat]
  }

  /// Whether a number would lose what the text says: a whole number that is not its double, zeros in front, or a plus sign. For
  /// values that were not seen when the type was chosen.
  @inline(__always) static func isNarrowed(_ text: UnsafeRawBufferPointer, to value: Double) -> Bool {
    isMarked(text) || value.magnitude >= 0x1p53 && WholeNumber.isRounded(text, to: value)
  }

  /// Whether a number has zeros in front or a plus sign.
  @inline(__always) static func isMarked(_ text: UnsafeRawBufferPointer) -> Bool {
    guard text.count > 1 else { return false }
    if text[0] == UInt8(ascii: "+") { return text[1] < UInt8(ascii: "A") }
    return startsWithZero(text[0] == UInt8(ascii: "-") ? UnsafeRawBufferPointer(rebasing: text[1...]) : text)
  }

  /// Leading zeros and plus signs carry meaning (postal codes, telephone numbers) that a number would lose.
  private static func startsWithZero(_ digits: UnsafeRawBufferPointer) -> Bool {
    digits.count > 1 && digits[0] == UInt8(ascii: "0") && digits[1] &- UInt8(ascii: "0") <= 9
  }

  private static func integer(_ cell: UnsafeRawBufferPointer, _ isNegative: Bool) -> Kinds? {
    if let value = NumberText.parseInt64(cell) { return kinds(of: value) }
    return NumberText.parseUInt64(cell) == nil ? nil : .unsigned
  }

  static func kinds(of value: Int64) -> Kinds {
    var kinds: Kinds = value < 0 ? [.integer, .negative] : .integer
    if Int64(exactly: Double(value)) != value { kinds.insert(.wideInteger) }
    return kinds
  }

  private static func isLongInteger(_ digits: UnsafeRawBufferPointer) -> Bool {
    digits.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
  }

  private static func isWord(_ digits: UnsafeRawBufferPointer) -> Bool { digits.first.map { $0 >= UInt8(ascii: "A") } ?? false }

  /// The usual spellings only, not every mix of cases.
  private static func nonFinite(_ cell: UnsafeRawBufferPointer) -> Kinds {
    let word = String(decoding: cell.prefix(10), as: UTF8.self)
    return ["NaN", "nan", "inf", "-inf", "+inf", "Infinity", "-Infinity", "+Infinity", "-nan", "-NaN"].contains(word) ? .float : .text
  }

  private static func isTime(_ cell: UnsafeRawBufferPointer) -> Bool { cell.count >= 10 && cell[4] == UInt8(ascii: "-") }

  private static func time(_ cell: UnsafeRawBufferPointer) -> Kinds {
    guard cell.count >= 10, let parsed = CivilTime.parse(cell) else { return .text }
    if !parsed.hasTime && CivilTime.parseDate(cell) == nil { return .text }
    return kinds(of: parsed)
  }

  /// The kinds of a date or time; text where neither microseconds nor nanoseconds hold it.
  static func kinds(of time: CivilTime.Parsed) -> Kinds {
    var kinds: Kinds = time.hasTime ? .timestamp : .date
    if time.ticks(.nanosecond) == nil { kinds.insert(.farTime) }
    if time.hasTime && time.ticks(.microsecond) == nil {
      if kinds.contains(.farTime) { return .text }
      kinds.insert(.nanosecond)
    }
    return kinds
  }

  /// What nanoseconds in 64 bits reach to either side of 1970, in whole microseconds.
  private static let nearMicros = UInt64(Int64.max / 1000)
}
