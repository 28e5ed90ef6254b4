/// Whether bytes are UTF-8.
enum TextValidation {
  enum Result { case ascii, text, invalid }

  /// - Complexity: O(bytes)
  static func check(_ bytes: UnsafeRawBufferPointer) -> Result {
    // SAFETY: the caller keeps the bytes for the time of the call, and the span does not leave it.
    do {
      return try UTF8Span(validating: Span<UInt8>(_unsafeBytes: bytes)).isKnownASCII ? .ascii : .text
    } catch {
      return .invalid
    }
  }
}
