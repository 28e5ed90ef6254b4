import Objects

extension Archive {
  private static let writerLockPath = "writer.lock"

  /// So many lost races show that a writer is slower than the others and would go on losing.
  private static let lossCountMax = 3

  /// Called before each try of a change that is computed on the tip of a branch: waits while another writer holds the turn.
  ///
  /// A writer that has lost `lossCountMax` races gets the turn itself and keeps it until it is done: only those who began
  /// before can still be faster, each once. Correctness does not hang on it, the ref moves by compare-and-swap in any case.
  /// - Parameter lossCount: how many races this change has lost.
  /// - Returns: the turn, to be held until the change is published; nil for a writer that does not need it yet.
  package func writerTurn(lossCount: Int) throws(StoreError) -> VolumeLock? {
    try refuseReadOnly("write to it")
    let lock = try volume.lock(Self.writerLockPath)
    return lossCount < Self.lossCountMax ? nil : lock
  }
}
