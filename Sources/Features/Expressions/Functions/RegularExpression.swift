import CPcre2
import Columns

/// A regular expression with groups, in the syntax of PCRE2.
// SAFETY: the compiled code is immutable after init; PCRE2 lets any number of threads match with it.
final class RegularExpression: @unchecked Sendable {
  private let code: OpaquePointer
  let groupCount: Int

  /// Enough for every expression that is not exponential; one that is fails within milliseconds.
  private static let matchLimit: UInt32 = 200_000
  private static let byteCountMax = 10_000

  /// - Parameter options: `i` ignores case, `c` does not, `s` lets the dot match line ends, `m` lets `^` and `$` match at them.
  init(_ text: String, options: String, isWhole: Bool = false) throws(FunctionRefusal) {
    guard text.utf8.count <= Self.byteCountMax else {
      throw FunctionRefusal(text: "a regular expression has at most \(Self.byteCountMax) bytes, found \(text.utf8.count)")
    }
    var flags = UInt32(PCRE2_UTF) | UInt32(PCRE2_DOLLAR_ENDONLY) | UInt32(PCRE2_NEVER_BACKSLASH_C)
    for option in options {
      switch option {
      case "i": flags |= UInt32(PCRE2_CASELESS)
      case "c": flags &= ~UInt32(PCRE2_CASELESS)
      case "s": flags |= UInt32(PCRE2_DOTALL)
      case "m": flags |= UInt32(PCRE2_MULTILINE)
      default: throw FunctionRefusal(text: "there is no option \(option) of regular expressions; known are c, i, m, s and, to replace, g")
      }
    }
    if isWhole { flags |= UInt32(PCRE2_ANCHORED) | UInt32(bitPattern: Int32(PCRE2_ENDANCHORED)) }
    var errorCode: Int32 = 0
    var errorOffset = 0
    var bytes = Array(text.utf8)
    // An empty array may have no address.
    bytes.append(0)
    guard let compiled = pcre2_compile_8(bytes, bytes.count - 1, flags, &errorCode, &errorOffset, nil) else {
      var message = [UInt8](repeating: 0, count: 256)
      let length = pcre2_get_error_message_8(errorCode, &message, message.count)
      let reason = length > 0 ? String(decoding: message.prefix(Int(length)), as: UTF8.self) : "error \(errorCode)"
      throw FunctionRefusal(text: "the regular expression '\(text.prefix(60))' is refused: \(reason) at its byte \(errorOffset + 1)")
    }
    code = compiled
    // A platform without the compiler for patterns matches more slowly, nothing else.
    _ = pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
    var count: UInt32 = 0
    _ = pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    groupCount = Int(count)
  }

  deinit { pcre2_code_free_8(code) }

  /// The bytes of a match and of its groups; nil for a group that took no part.
  typealias Match = [Range<Int>?]

  /// - Throws: when the search takes more steps than any reasonable expression needs.
  func firstMatch(_ text: UnsafeRawBufferPointer, from start: Int) throws(KernelFailure) -> Match? {
    guard let data = pcre2_match_data_create_from_pattern_8(code, nil), let context = pcre2_match_context_create_8(nil) else {
      throw KernelFailure(text: "no memory is left to search")
    }
    defer {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
    }
    pcre2_set_match_limit_8(context, Self.matchLimit)
    var spare: UInt8 = 0
    let status = withUnsafePointer(to: &spare) { spare -> Int32 in
      let bytes = text.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
      let status = pcre2_match_8(code, bytes, text.count, start, 0, data, context)
      return status == PCRE2_ERROR_JIT_STACKLIMIT
        ? pcre2_match_8(code, bytes, text.count, start, UInt32(PCRE2_NO_JIT), data, context) : status
    }
    if status == PCRE2_ERROR_NOMATCH { return nil }
    guard status > 0, let pairs = pcre2_get_ovector_pointer_8(data) else {
      throw KernelFailure(text: "the regular expression gives up on this text (code \(status))")
    }
    return (0...groupCount).map { group in
      let (from, to) = (pairs[2 * group], pairs[2 * group + 1])
      // PCRE2_UNSET is all ones; `\K` in a look-ahead may set a start behind the end.
      return group >= Int(status) || from < 0 || to < from ? nil : from..<to
    }
  }

  enum Piece: Sendable {
    case text([UInt8])
    case group(Int)
  }

  /// `\0` to `\9` stand for the match and its groups, `\\` for a backslash.
  func replacement(_ text: String) throws(FunctionRefusal) -> [Piece] {
    var pieces: [Piece] = []
    var plain: [UInt8] = []
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        plain.append(byte)
        continue
      }
      guard let next = bytes.popFirst(), next == byte || (0x30...0x39).contains(next) else {
        throw FunctionRefusal(text: "a backslash in the replacement is followed by a digit or a backslash")
      }
      if next == byte {
        plain.append(byte)
        continue
      }
      let group = Int(next) - 0x30
      guard group <= groupCount else {
        throw FunctionRefusal(text: "the replacement names group \(group), the regular expression has \(groupCount)")
      }
      pieces += [.text(plain), .group(group)]
      plain = []
    }
    return pieces + [.text(plain)]
  }

  func replace(
    _ text: UnsafeRawBufferPointer, _ replacement: [Piece], isGlobal: Bool, _ target: inout GrowableBuffer
  ) throws(KernelFailure) {
    var copied = 0
    var position = 0
    while position <= text.count, let match = try firstMatch(text, from: position), let whole = match[0] {
      target.append(bytes: UnsafeRawBufferPointer(rebasing: text[copied..<whole.lowerBound]))
      for piece in replacement {
        switch piece {
        case .text(let bytes): bytes.withUnsafeBytes { target.append(bytes: $0) }
        case .group(let group): if let range = match[group] { target.append(bytes: UnsafeRawBufferPointer(rebasing: text[range])) }
        }
      }
      copied = whole.upperBound
      position = whole.upperBound
      if whole.isEmpty {
        position += 1
        while position < text.count && !CodePoints.isStart(text[position]) { position += 1 }
      }
      if !isGlobal { break }
    }
    target.append(bytes: UnsafeRawBufferPointer(rebasing: text[copied...]))
  }
}
