import CPcre2

/// Why a regular expression was refused.
struct PatternError: Error, CustomStringConvertible {
  let description: String
}

/// A compiled ECMA-262 regular expression that is searched for anywhere in a text.
// SAFETY: the compiled code is immutable after init; PCRE2 lets any number of threads match with it.
final class Pattern: @unchecked Sendable {
  private let code: OpaquePointer

  /// `$` matches only at the very end, `\u0041` is a code point, unset groups match empty, `[]` matches nothing: as in ECMA-262.
  private static let options =
    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C
  /// Enough for every pattern that is not exponential; one that is gives up within milliseconds.
  static let matchLimit: UInt32 = 200_000
  static let patternByteCountMax = 10_000

  init(_ text: String) throws(PatternError) {
    guard text.utf8.count <= Self.patternByteCountMax else {
      throw PatternError(description: "it has \(text.utf8.count) bytes, at most \(Self.patternByteCountMax) are accepted")
    }
    guard let context = pcre2_compile_context_create_8(nil) else { throw PatternError(description: "out of memory") }
    defer { pcre2_compile_context_free_8(context) }
    pcre2_set_compile_extra_options_8(context, PCRE2_EXTRA_ALT_BSUX)
    // ECMA-262's dot stops at carriage returns too.
    pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANYCRLF))
    var errorCode: Int32 = 0
    var errorOffset = 0
    let bytes = Array(text.utf8)
    let compiled = bytes.withUnsafeBufferPointer { bytes in
      // SAFETY: PCRE2 reads `count` bytes and keeps no reference; an empty array may have no address, so a spare byte stands in.
      var spare: UInt8 = 0
      return withUnsafePointer(to: &spare) { spare in
        pcre2_compile_8(bytes.baseAddress ?? spare, bytes.count, UInt32(Self.options), &errorCode, &errorOffset, context)
      }
    }
    guard let compiled else {
      throw PatternError(description: "\(Self.message(errorCode)) at character \(Self.character(at: errorOffset, in: text))")
    }
    code = compiled
    // A platform without the compiler for patterns matches more slowly, nothing else.
    _ = pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
  }

  deinit { pcre2_code_free_8(code) }

  private static func message(_ code: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = buffer.withUnsafeMutableBufferPointer { pcre2_get_error_message_8(code, $0.baseAddress, $0.count) }
    return length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(code)"
  }

  private static func character(at offset: Int, in text: String) -> Int {
    String(decoding: text.utf8.prefix(offset), as: UTF8.self).unicodeScalars.count + 1
  }

  /// Matches texts one after another with memory of its own.
  struct Matcher: ~Copyable {
    private let pattern: Pattern
    private let data: OpaquePointer
    private let context: OpaquePointer

    init(_ pattern: Pattern) {
      guard let data = pcre2_match_data_create_8(1, nil), let context = pcre2_match_context_create_8(nil) else {
        fatalError("Out of memory for a match")
      }
      pcre2_set_match_limit_8(context, Pattern.matchLimit)
      self.pattern = pattern
      self.data = data
      self.context = context
    }

    deinit {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
    }

    /// Whether the pattern occurs in the text. A text that is not UTF-8, or on which the search gives up, does not match.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
      var spare: UInt8 = 0
      return withUnsafePointer(to: &spare) { spare in
        let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
        var result = pcre2_match_8(pattern.code, start, text.count, 0, 0, data, context)
        if result == PCRE2_ERROR_JIT_STACKLIMIT {
          result = pcre2_match_8(pattern.code, start, text.count, 0, PCRE2_NO_JIT, data, context)
        }
        // 0 says that the one pair of offsets did not hold all groups, which nobody reads.
        return result >= 0
      }
    }
  }
}
