import Objects

/// Files that can be made again from what they were derived from: no object, reached by nothing, removed by gc once they are old.
/// Whoever reads one checks it.
extension Archive {
  private static func cachePath(_ name: String) -> String { "cache/\(name)" }

  /// Nil when there is no such file; reading it makes it young again.
  /// - Throws: `StoreError` of kind `io`.
  package func mapCached(_ name: String) throws(StoreError) -> MappedFile? {
    let path = Self.cachePath(name)
    guard try volume.exists(path) else { return nil }
    let file: MappedFile
    do {
      file = try volume.map(path)
    } catch {
      // Removed meanwhile.
      guard error.kind == .notFound else { throw error }
      return nil
    }
    if !volume.isReadOnly { try? volume.renewAge(path) }
    return file
  }

  /// - Returns: false when the repository cannot be written.
  package func putCached(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) -> Bool {
    guard !volume.isReadOnly else { return false }
    try volume.stage(Self.cachePath(name), bytes)
    return true
  }
}
