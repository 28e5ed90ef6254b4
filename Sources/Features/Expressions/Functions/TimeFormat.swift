import Columns

/// A format of `strftime` and `strptime`, read once.
struct TimeFormat: Sendable {
  private enum Piece: Sendable {
    case text([UInt8])
    /// `%d`, or with `isBare` `%-d`, which has no leading zeros.
    case field(UInt8, isBare: Bool)
  }

  private var pieces: [Piece] = []

  static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
  ]
  private static let fields = Set("aAwudBbmyYHIpMSgfnzZjUWGV".utf8)

  /// - Throws: for a specifier that does not exist.
  init(_ format: String) throws(FunctionRefusal) {
    var text: [UInt8] = []
    var bytes = Array(format.utf8)[...]
    while let byte = bytes.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        text.append(byte)
        continue
      }
      let isBare = bytes.first == UInt8(ascii: "-")
      if isBare { bytes.removeFirst() }
      guard let letter = bytes.popFirst() else { throw FunctionRefusal(text: "the format '\(format)' ends with %") }
      let expansion: String? =
        switch letter {
        case UInt8(ascii: "c"): "%Y-%m-%d %H:%M:%S"
        case UInt8(ascii: "x"): "%Y-%m-%d"
        case UInt8(ascii: "X"): "%H:%M:%S"
        default: nil
        }
      if letter == UInt8(ascii: "%") {
        text.append(letter)
      } else if let expansion {
        bytes = Array(expansion.utf8) + bytes
      } else if Self.fields.contains(letter) {
        if !text.isEmpty { pieces.append(.text(text)) }
        text = []
        pieces.append(.field(letter, isBare: isBare))
      } else {
        throw FunctionRefusal(text: "the format '\(format)' has an unknown specifier %\(Character(Unicode.Scalar(letter)))")
      }
    }
    if !text.isEmpty { pieces.append(.text(text)) }
  }

  // MARK: Writing

  func write(_ micros: Int64, to target: inout GrowableBuffer) {
    let days = CivilTime.dayNumber(ofMicros: micros)
    let date = CivilTime.civil(days: days)
    let time = TimeMath.timeOfDay(micros)
    let weekday = TimeMath.isoDayOfWeek(days)
    let hour = time / 3_600_000_000
    func number(_ value: Int64, _ width: Int, _ isBare: Bool = false) {
      if value < 0 { target.append(UInt8(ascii: "-")) }
      let digits = String(value.magnitude)
      if !isBare { for _ in 0..<max(0, width - digits.utf8.count) { target.append(UInt8(ascii: "0")) } }
      for byte in digits.utf8 { target.append(byte) }
    }
    func text(_ text: some StringProtocol) { for byte in text.utf8 { target.append(byte) } }
    for piece in pieces {
      guard case .field(let letter, let isBare) = piece else {
        if case .text(let bytes) = piece { bytes.withUnsafeBytes { target.append(bytes: $0) } }
        continue
      }
      switch letter {
      case UInt8(ascii: "a"): text(Self.days[Int(weekday) - 1].prefix(3))
      case UInt8(ascii: "A"): text(Self.days[Int(weekday) - 1])
      case UInt8(ascii: "w"): number(weekday % 7, 1)
      case UInt8(ascii: "u"): number(weekday, 1)
      case UInt8(ascii: "d"): number(date.day, 2, isBare)
      case UInt8(ascii: "b"): text(Self.months[Int(date.month) - 1].prefix(3))
      case UInt8(ascii: "B"): text(Self.months[Int(date.month) - 1])
      case UInt8(ascii: "m"): number(date.month, 2, isBare)
      case UInt8(ascii: "y"): number(abs(date.year) % 100, 2, isBare)
      case UInt8(ascii: "Y"): number(date.year, date.year < 0 ? 1 : 4)
      case UInt8(ascii: "H"): number(hour, 2, isBare)
      case UInt8(ascii: "I"): number((hour + 11) % 12 + 1, 2, isBare)
      case UInt8(ascii: "p"): text(hour < 12 ? "AM" : "PM")
      case UInt8(ascii: "M"): number(time / 60_000_000 % 60, 2, isBare)
      case UInt8(ascii: "S"): number(time / 1_000_000 % 60, 2, isBare)
      case UInt8(ascii: "g"): number(time / 1_000 % 1_000, 3)
      case UInt8(ascii: "f"): number(time % 1_000_000, 6)
      case UInt8(ascii: "n"): number(time % 1_000_000 * 1_000, 9)
      case UInt8(ascii: "z"): text("+00")
      case UInt8(ascii: "j"): number(TimeMath.dayOfYear(days), 3, isBare)
      case UInt8(ascii: "U"): number((TimeMath.dayOfYear(days) + 6 - weekday % 7) / 7, 2, isBare)
      case UInt8(ascii: "W"): number((TimeMath.dayOfYear(days) + 7 - weekday) / 7, 2, isBare)
      case UInt8(ascii: "G"): number(TimeMath.isoWeek(days).year, TimeMath.isoWeek(days).year < 0 ? 1 : 4)
      case UInt8(ascii: "V"): number(TimeMath.isoWeek(days).week, 2, isBare)
      // Times without a zone have no name of one.
      default: break
      }
    }
  }

  // MARK: Reading

  /// - Throws: for what can be written and not read.
  func checkParsing() throws(FunctionRefusal) {
    for case .field(let letter, _) in pieces where "UWGVZn".utf8.contains(letter) {
      throw FunctionRefusal(text: "strptime does not read %\(Character(Unicode.Scalar(letter)))")
    }
  }

  /// The instant, of UTC unless `%z` says otherwise; nil for text of another form and dates that do not exist. What the
  /// format leaves out is that of 1900-01-01.
  func parse(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    var position = 0
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    func skipSpaces() { while position < bytes.count && isSpace(bytes[position]) { position += 1 } }
    func number(_ most: Int) -> (value: Int64, digitCount: Int)? {
      var value: Int64 = 0
      let start = position
      while position < bytes.count, position - start < most, (0x30...0x39).contains(bytes[position]) {
        value = value * 10 + Int64(bytes[position] - 0x30)
        position += 1
      }
      return position == start ? nil : (value, position - start)
    }
    /// The index of the name that comes next; whole names first.
    func name(_ names: [String], isShort: Bool) -> Int64? {
      for (index, name) in names.enumerated() {
        let wanted = Array((isShort ? name.prefix(3) : name[...]).lowercased().utf8)
        guard bytes.count - position >= wanted.count else { continue }
        if zip(wanted, bytes[position...]).allSatisfy({ $0 == $1 | 0x20 }) {
          position += wanted.count
          return Int64(index)
        }
      }
      return nil
    }
    var (year, month, day) = (Int64(1900), Int64(1), Int64(1))
    var (hour, minute, second, micros) = (Int64(0), Int64(0), Int64(0), Int64(0))
    var dayOfYear: Int64?
    var isAfternoon: Bool?
    var offset: Int64 = 0
    skipSpaces()
    for piece in pieces {
      guard case .field(let letter, _) = piece else {
        guard case .text(let text) = piece else { continue }
        for byte in text {
          if isSpace(byte) {
            skipSpaces()
          } else {
            guard position < bytes.count, bytes[position] == byte else { return nil }
            position += 1
          }
        }
        continue
      }
      switch letter {
      case UInt8(ascii: "a"), UInt8(ascii: "A"): guard name(Self.days, isShort: letter == UInt8(ascii: "a")) != nil else { return nil }
      case UInt8(ascii: "b"), UInt8(ascii: "B"):
        guard let index = name(Self.months, isShort: letter == UInt8(ascii: "b")) else { return nil }
        month = index + 1
      case UInt8(ascii: "w"), UInt8(ascii: "u"): guard number(1) != nil else { return nil }
      case UInt8(ascii: "Y"):
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard let value = number(6) else { return nil }
        year = isNegative ? -value.value : value.value
      case UInt8(ascii: "y"):
        guard let value = number(2) else { return nil }
        year = value.value + (value.value < 69 ? 2_000 : 1_900)
      case UInt8(ascii: "j"):
        guard let value = number(3) else { return nil }
        dayOfYear = value.value
      case UInt8(ascii: "p"):
        guard let index = name(["am", "pm"], isShort: false) else { return nil }
        isAfternoon = index == 1
      case UInt8(ascii: "f"), UInt8(ascii: "g"):
        guard let value = number(letter == UInt8(ascii: "g") ? 3 : 6) else { return nil }
        micros = value.value
        for _ in value.digitCount..<6 { micros *= 10 }
      case UInt8(ascii: "z"):
        guard position < bytes.count else { return nil }
        let isNegative = bytes[position] == UInt8(ascii: "-")
        guard isNegative || bytes[position] == UInt8(ascii: "+") else { return nil }
        position += 1
        guard let hours = number(2) else { return nil }
        offset = hours.value * 60
        if position < bytes.count, bytes[position] == UInt8(ascii: ":") { position += 1 }
        if let minutes = number(2) { offset += minutes.value }
        if isNegative { offset = -offset }
      default:
        guard let value = number(2)?.value else { return nil }
        switch letter {
        case UInt8(ascii: "d"): day = value
        case UInt8(ascii: "m"): month = value
        case UInt8(ascii: "M"): minute = value
        case UInt8(ascii: "S"): second = value
        default: hour = value
        }
      }
    }
    skipSpaces()
    guard position == bytes.count, (1...12).contains(month), hour <= 23, minute <= 59, second <= 59 else { return nil }
    if let isAfternoon {
      guard (1...12).contains(hour) else { return nil }
      hour = hour % 12 + (isAfternoon ? 12 : 0)
    }
    guard day >= 1, day <= TimeMath.lastDay(year: year, month: month) else { return nil }
    var days = CivilTime.days(year: year, month: month, day: day)
    if let dayOfYear {
      days = CivilTime.days(year: year, month: 1, day: 1) + dayOfYear - 1
      guard dayOfYear >= 1, CivilTime.civil(days: days).year == year else { return nil }
    }
    let time = ((hour * 60 + minute - offset) * 60 + second) * 1_000_000 + micros
    return Int64(exactly: Int128(days) * Int128(CivilTime.microsPerDay) + Int128(time))
  }
}
