import Columns

/// Shows a bound of a leaf as text.
struct StatisticsText {
  private enum Form {
    case bool, signed, unsigned, float, half, text, hexadecimal, date
    case decimal(scale: Int)
    case time(TimeUnit)
    case timestamp(TimeUnit)
  }

  private let form: Form
  private let physical: PhysicalType?

  init(_ element: FooterDetail.Element) {
    physical = element.physicalCode.flatMap { PhysicalType(rawValue: $0) }
    let converted = element.convertedCode.flatMap { ConvertedType(rawValue: $0) }
    switch (element.logicalID, converted) {
    case (1?, _), (4?, _), (12?, _), (nil, .utf8?), (nil, .enum?), (nil, .json?): form = .text
    case (5?, _), (nil, .decimal?): form = .decimal(scale: Int(element.scale))
    case (6?, _), (nil, .date?): form = .date
    case (7?, _): form = .time(element.unit ?? .microsecond)
    case (8?, _): form = .timestamp(element.unit ?? .microsecond)
    case (15?, _): form = .half
    case (nil, .timeMillis?): form = .time(.millisecond)
    case (nil, .timeMicros?): form = .time(.microsecond)
    case (nil, .timestampMillis?): form = .timestamp(.millisecond)
    case (nil, .timestampMicros?): form = .timestamp(.microsecond)
    case (10?, _) where element.isUnsigned, (nil, .uint8?), (nil, .uint16?), (nil, .uint32?), (nil, .uint64?): form = .unsigned
    default:
      form =
        switch physical {
        case .boolean?: .bool
        case .int32?, .int64?: .signed
        case .float?, .double?: .float
        default: .hexadecimal
        }
    }
  }

  /// - Parameter stored: plain encoding, bytes without their length. What does not fit the type is shown in hexadecimal digits.
  func text(_ stored: [UInt8]) -> String {
    stored.withUnsafeBytes { text($0) } ?? Self.hexadecimal(stored)
  }

  private func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    switch form {
    case .bool: return bytes.count == 1 ? (bytes[0] == 0 ? "false" : "true") : nil
    case .text: return String(validating: bytes, as: UTF8.self)
    case .hexadecimal: return nil
    case .half: return bytes.count == 2 ? "\(bytes.loadUnaligned(as: Float16.self))" : nil
    case .float:
      if bytes.count == 4 { return "\(bytes.loadUnaligned(as: Float.self))" }
      return bytes.count == 8 ? NumberText.format(bytes.loadUnaligned(as: Double.self)) : nil
    case .unsigned:
      if bytes.count == 4 { return "\(bytes.loadUnaligned(as: UInt32.self))" }
      return bytes.count == 8 ? "\(bytes.loadUnaligned(as: UInt64.self))" : nil
    case .signed: return integer(bytes).map { "\($0)" }
    case .date: return bytes.count == 4 ? integer(bytes).map { CivilTime.formatDate(days: $0) } : nil
    case .time(let unit): return integer(bytes).flatMap { Self.time($0, unit) }
    case .timestamp(let unit): return integer(bytes).map { CivilTime.formatTimestamp($0, unit) }
    case .decimal(let scale):
      guard (0...38).contains(scale) else { return nil }
      if physical == .int32 || physical == .int64 { return integer(bytes).map { NumberText.formatDecimal(Int128($0), scale: scale) } }
      do { return NumberText.formatDecimal(try PlainConversion.decimal(bytes), scale: scale) } catch { return nil }
    }
  }

  private func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    switch (physical, bytes.count) {
    case (.int32?, 4): Int64(bytes.loadUnaligned(as: Int32.self))
    case (.int64?, 8): bytes.loadUnaligned(as: Int64.self)
    default: nil
    }
  }

  /// `13:45:00.000000`: what a timestamp of that day shows behind its date.
  private static func time(_ ticks: Int64, _ unit: TimeUnit) -> String? {
    guard ticks >= 0, ticks < 86_400 * unit.ticksPerSecond else { return nil }
    return String(CivilTime.formatTimestamp(ticks, unit).dropFirst("1970-01-01T".count).dropLast())
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array("0x".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
