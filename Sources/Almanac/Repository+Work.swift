import History
import Objects

extension Repository {
  /// Tries a change on the tip of a branch until no other writer was faster.
  ///
  /// From the first try to the last gc, whatever its grace period, leaves the tips that the tries start from and all that they
  /// write or find: a try that another writer overtook serves the next one, and the ref that moves in the end names what is there.
  /// - Parameters:
  ///   - isPlan: nothing will be written, so that nothing is waited for and nothing is kept.
  ///   - attempt: nil when another writer was first.
  /// - Returns: nil after so many lost races that something is wrong (`raceCountMax`).
  func tryingOnTip<Report>(
    of branch: String, isPlan: Bool = false, _ attempt: (_ tip: CommitID?) throws(AlmanacError) -> Report?
  ) throws(AlmanacError) -> Report? {
    var turn: VolumeLock?
    var leases: [Lease] = []
    defer { withExtendedLifetime((turn, leases)) {} }
    for lossCount in 0..<Self.raceCountMax {
      if turn == nil && !isPlan { turn = try AlmanacError.translating { try archive.writerTurn(lossCount: lossCount) } }
      let tip = try tip(of: branch)
      if tip == nil && !isPlan, try branch == headBranch() { try checkIsThere(branch) }
      do throws(AlmanacError) {
        if !isPlan {
          leases.append(try AlmanacError.translating { try archive.lease(tip.map { [$0] } ?? [], isForWork: true) })
        }
        if let report = try attempt(tip) { return report }
      } catch {
        // An undo and then a gc can take the very commit that the try starts from, before it is leased; the branch has moved then.
        // Any other failure is one, also when the branch has moved: it may be this very change whose answer was lost.
        guard error.kind == .notFound, try self.tip(of: branch) != tip else { throw error }
      }
    }
    return nil
  }
}
