import Glibc
import Objects

/// Locks, in the order in which they are taken: `writer.lock`, `gc.lock`, `objects.lock`, the catalog's right to write,
/// `reflog.lock` (docs/format/repository.md).
extension Archive {
  /// Held shared from the look at an object to the transaction that names it; alone by gc while it removes objects.
  static let objectsLockPath = "objects.lock"
  /// Held by the one gc or repair that is under way.
  static let gcLockPath = "gc.lock"

  /// Whether nothing can be written to the repository.
  package var isReadOnly: Bool { catalog.isReadOnly || volume.isReadOnly }

  /// Runs the body while no object is removed. May be nested, and waits only while gc removes what it has found.
  /// - Throws: `io` when nothing can be written to the repository; what the body throws.
  package func sharingObjects<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
    try refuseReadOnly("write")
    return try volume.lock(Self.objectsLockPath, .shared).hold(body)
  }

  func holdingObjects<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
    try volume.lock(Self.objectsLockPath, .exclusive).hold(body)
  }

  func holdingMaintenance<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
    try volume.lock(Self.gcLockPath, .exclusive).hold(body)
  }

  func refuseReadOnly(_ action: String) throws(StoreError) {
    guard isReadOnly else { return }
    throw StoreError(
      kind: .io(EROFS), text: "Cannot \(action): the repository \(volume.absolutePath("")) is in a folder where nothing can be written")
  }
}
